"""The sections about one prediction: how sure it is, as an interval or a set, and as quantiles.

Takes: an evaluation.
Gives: a section each, or None where nothing was asked for.
Never: computes a figure.
"""

from modelyard.evaluation.page.sureness.quantiles import quantiles_section
from modelyard.evaluation.page.sureness.regions import regions_section

__all__ = ["quantiles_section", "regions_section"]
