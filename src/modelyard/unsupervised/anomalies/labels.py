"""Labels, where people have said which rows are anomalies; they judge detectors and never teach one."""

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError
from modelyard.data import category_text, positive_class
from modelyard.problem import Problem, did_you_mean

__all__ = ["read_labels"]


def read_labels(frame: pl.DataFrame, problem: Problem) -> npt.NDArray[np.float64] | None:
    """1 for an anomaly, 0 for none, NaN where nobody said; None if there is no label column.

    The anomalies are the rarer class, unless ``data.positive`` says.

    Raises
    ------
    DataError
        If the labels do not have exactly two values.
    """
    name = problem.data.target
    if not name:
        return None
    labels = category_text(frame[name])
    known = labels.drop_nulls()
    classes = known.unique().sort().to_list()
    if len(classes) != 2:
        raise DataError(
            f"labels of anomalies have two values, these have {len(classes)}",
            where=f"target {name!r}",
            got=", ".join(map(repr, classes[:5])) or "no value",
            cure="Leave data.target out to search without labels, or mend the labels",
        )
    positive = problem.data.positive or positive_class(known)
    if positive not in classes:
        cure = did_you_mean(positive, classes)
        raise DataError(
            "the positive class is not a value of the labels", where="data.positive", got=repr(positive), cure=cure
        )
    found = np.where((labels == positive).fill_null(value=False).to_numpy(), 1.0, 0.0)
    return np.where(labels.is_null().to_numpy(), np.nan, found)
