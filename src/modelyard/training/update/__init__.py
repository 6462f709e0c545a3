"""Updating: a model goes on learning from new rows, where its family can, instead of being trained anew.

Takes: the run of a model, and a split whose training part is the rows it knows and new ones after them.
Gives: a run whose models continue it, compared with the model as it was and with a full retraining.
Never: trains anew by itself, decides what is used, or looks at rows that the comparison is to be made on.
"""

from modelyard.training.update.records import Update

__all__ = ["Update"]
