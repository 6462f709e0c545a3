"""One row straight from its values to the model's outputs, where the features between need not be written down.

Takes: the encodings of a plan and its predictor.
Gives: a function from a row to outputs, equal to encoding and predicting within 1e-9.
Never: changes what a table scores, or answers for a row that it cannot: that one is encoded as ever.
"""

from modelyard.packaging.fusion.rows import RowScorer, row_scorer

__all__ = ["RowScorer", "row_scorer"]
