"""The scikit-learn estimator that learns encodings from training rows. Imports scikit-learn; serving does not need it."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from modelyard.core import DataError
from modelyard.data import Column
from modelyard.features.encodings import Encoding, EncodingStyle, encode_frame
from modelyard.features.fitting import fit_encoding

__all__ = ["TableEncoder"]


class TableEncoder(TransformerMixin, BaseEstimator):
    """Typed columns to a float64 matrix, as one step of a scikit-learn pipeline.

    All that is learned stands in ``encodings_``, plain records that :func:`modelyard.features.encode_row` and
    :func:`~modelyard.features.encode_frame` apply without scikit-learn. Only the rows given to ``fit`` are looked at;
    the target is not.

    Parameters
    ----------
    columns
        The feature columns with their kinds, in the order of the output. Other columns of a table are ignored, and
        the order of a table's columns does not matter.
    style
        What the estimator behind it needs.
    time
        Name of the column by which rows were split, if any: only its calendar parts become features, since its later
        values lie outside what training saw.

    Attributes
    ----------
    encodings_
        One encoding per column, after ``fit``.
    """

    encodings_: tuple[Encoding, ...]

    def __init__(
        self,
        columns: tuple[Column, ...] = (),
        style: EncodingStyle = EncodingStyle.TREE,
        time: str | None = None,
    ) -> None:
        self.columns = columns
        self.style = style
        self.time = time

    def fit(self, frame: pl.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Learn the encodings from training rows.

        Raises
        ------
        DataError
            If a column is missing, there is no row, or a kind cannot be a feature.
        """
        _check_table(frame, self.columns)
        style = EncodingStyle(self.style)
        self.encodings_ = tuple(
            fit_encoding(column, frame[column.name], style, calendar_only=column.name == self.time)
            for column in self.columns
        )
        return self

    def transform(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Features of a table, shape (rows, features).

        Raises
        ------
        DataError
            If a column seen in training is missing.
        sklearn.exceptions.NotFittedError
            If called before ``fit``.
        """
        check_is_fitted(self, "encodings_")
        return encode_frame(self.encodings_, frame)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Names of the output's columns, each once; a name that comes again gets a number."""
        check_is_fitted(self, "encodings_")
        seen: dict[str, int] = {}
        names = []
        for name in (name for encoding in self.encodings_ for name in encoding.names()):
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
        return np.array(names, dtype=object)


def _check_table(frame: pl.DataFrame, columns: tuple[Column, ...]) -> None:
    """Refuse what nothing can be learned from."""
    if not isinstance(frame, pl.DataFrame):
        raise DataError(
            "the encoder learns from a Polars table",
            where="TableEncoder.fit",
            got=type(frame).__name__,
            cure="Read the table with modelyard.data.read_table first",
        )
    if not columns:
        raise DataError(
            "there is no feature column",
            where="TableEncoder.fit",
            got="an empty tuple of columns",
            cure="Leave at least one column that is neither excluded, target, id nor text",
        )
    absent = [column.name for column in columns if column.name not in frame.columns]
    if absent:
        raise DataError(
            "feature columns are missing",
            where="TableEncoder.fit",
            got=f"no {', '.join(map(repr, absent[:5]))}",
            cure="Give a table that has all feature columns",
        )
    if frame.height == 0:
        raise DataError(
            "there is no row to learn from",
            where="TableEncoder.fit",
            got="0 rows",
            cure="Give at least one training row",
        )
