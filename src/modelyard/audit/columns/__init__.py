"""Single columns in figures, measured once for all checks that ask.

Takes: one column of the training part.
Gives: ``Numbers`` of what can be put in order, ``Levels`` of what can only be counted; ``MeasuredColumns`` of a table.
Never: keeps a column's values, or knows the target.
"""

from modelyard.audit.columns.levels import Levels, column_levels
from modelyard.audit.columns.measured import MeasuredColumns
from modelyard.audit.columns.numbers import FAR, Numbers, column_numbers, robust_distance

__all__ = ["FAR", "Levels", "MeasuredColumns", "Numbers", "column_levels", "column_numbers", "robust_distance"]
