"""The decision boundary over the two numeric columns that count most, as one slice of the model.

Takes: the development model, the rows that it was judged on, and the importance of columns.
Gives: decisions and scores on a grid of the two columns, with all others held at typical values, and real rows beside them.
Never: takes the slice for the model: how often both decide alike is measured.
"""

from modelyard.evaluation.boundary.records import Boundary, HeldColumn

__all__ = ["Boundary", "HeldColumn"]
