"""From a row to the outputs of its model: encode and predict, or both at once where the model is a weighted sum."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from modelyard.features import Encoding
from modelyard.packaging.fusion.weighted_sum import WeightedSum
from modelyard.packaging.predictors import LinearPredictor, Predictor

__all__ = ["RowScorer", "row_scorer"]

RowScorer: TypeAlias = Callable[[Mapping[str, Any]], list[float]]


def row_scorer(
    encodings: Sequence[Encoding], predictor: Predictor, encode: Callable[[Mapping[str, Any]], list[float]]
) -> RowScorer:
    """A function from one row to the predictor's outputs, prepared once.

    Parameters
    ----------
    encodings
        How columns become the predictor's features.
    encode
        The encodings as a function of one row.
    """
    predict = predictor.predict_row

    def in_two_steps(row: Mapping[str, Any]) -> list[float]:
        return predict(encode(row))

    if isinstance(predictor, LinearPredictor) and predictor.outputs == 1:
        return WeightedSum(encodings, predictor, in_two_steps).answer
    return in_two_steps
