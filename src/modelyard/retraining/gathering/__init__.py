"""Gathering: the labelled rows that a challenger may learn from.

Takes: a table that was given.
Gives: the rows that were not known before, and what was said of the others.
Never: lets a row of the champion's sealed part through.
"""

from modelyard.retraining.gathering.gathered import Gathered
from modelyard.retraining.gathering.given import from_table

__all__ = ["Gathered", "from_table"]
