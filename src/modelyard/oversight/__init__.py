"""Oversight: how people see to models and versions, of one project or of many.

Takes: projects with their registries, packages, ledgers and prediction logs.
Gives: gates and validations, an inventory, changes between versions, the impact of a change, records for auditors, erasure.
Never: decides in anybody's place.
"""

from modelyard.oversight.verbs import Oversight

__all__ = ["Oversight"]
