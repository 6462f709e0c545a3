"""Gathering: the labelled rows that a challenger may learn from.

Takes: a table that was given; or the project's source as it is now and the prediction log with the labels that came back.
Gives: the rows that were not known before, and what is to be said of the others.
Never: lets a row of the champion's sealed part through, or a label that was there before its prediction.
"""

from modelyard.retraining.gathering.collecting import collected
from modelyard.retraining.gathering.contamination import Suspects, contamination_gate
from modelyard.retraining.gathering.gathered import Gathered
from modelyard.retraining.gathering.given import from_table

__all__ = ["Gathered", "Suspects", "collected", "contamination_gate", "from_table"]
