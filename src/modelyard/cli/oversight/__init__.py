"""Commands by which people see to versions and models.

Takes: a project, or several.
Gives: the commands ``gates``, ``validate``, ``review-break-glass``, ``changes``, ``lineage``, ``trace``, ``mirror``, ``inventory``,
``impact``, ``records`` and ``erase``.
Never: holds rules.
"""

import typer

from modelyard.cli.oversight import changes, gates, lineage, mirror, models, records

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this folder."""
    for command in (gates, changes, lineage, mirror, models, records):
        command.add_to(app)
