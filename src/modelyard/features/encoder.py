"""The scikit-learn estimator that learns encodings from training rows. Imports scikit-learn; serving does not need it."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from modelyard.core import DataError
from modelyard.data import Column
from modelyard.features.encodings import Encoding, EncodingStyle, columns_of, encode_frame
from modelyard.features.fitting import fit_date_differences, fit_encoding
from modelyard.features.own import OwnFeatures
from modelyard.features.sentences import fit_sentences
from modelyard.features.targets import TargetEncoding, cross_fitted_block, deal_parts

__all__ = ["TableEncoder"]

_MOST_CLASSES = 10
"""Beyond this many classes the target's means would be too many features for one column."""


class TableEncoder(TransformerMixin, BaseEstimator):
    """Typed columns to a float64 matrix, as one step of a scikit-learn pipeline.

    All that is learned stands in ``encodings_``, plain records that :func:`modelyard.features.encode_row` and
    :func:`~modelyard.features.encode_frame` apply without scikit-learn. Only the rows given to ``fit`` are looked at.

    The target, if it is given, is looked at for categories with many levels alone. Then the rows that an estimator
    learns from must come from ``fit_transform``: it gives them the target's means as rows other than their own tell
    them, while ``transform`` gives every later row what all training rows tell.

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
    classes
        Number of classes that the target's codes name; 0 if the target is a number.
    group
        Name of the column whose rows belong together, if any: one row's target then tells no other row of its group
        anything during training.
    own
        Features of one's own, which are made before columns are encoded.
    sentences
        Names of text columns that the pretrained sentence encoder reads too.

    Attributes
    ----------
    encodings_
        One encoding per column, after ``fit``; then what reads two columns, then sentences.
    """

    encodings_: tuple[Encoding, ...]

    def __init__(
        self,
        columns: tuple[Column, ...] = (),
        style: EncodingStyle = EncodingStyle.TREE,
        time: str | None = None,
        classes: int = 0,
        group: str | None = None,
        own: OwnFeatures | None = None,
        sentences: tuple[str, ...] = (),
    ) -> None:
        self.columns = columns
        self.style = style
        self.time = time
        self.classes = classes
        self.group = group
        self.own = own
        self.sentences = sentences

    def fit(self, frame: pl.DataFrame, y: Any = None) -> Self:
        """Learn the encodings from training rows.

        Parameters
        ----------
        y
            The target as codes 0 … k-1 or as values; None, or names instead of codes, leave it out of every encoding.

        Raises
        ------
        DataError
            If a column is missing, there is no row, or a kind cannot be a feature.
        """
        _check_table(frame, self.columns)
        frame, columns = self._with_own(frame), self.columns + (self.own.columns if self.own is not None else ())
        style, target = EncodingStyle(self.style), self._outputs(y)
        single = tuple(
            fit_encoding(column, frame[column.name], style, calendar_only=column.name == self.time, target=target)
            for column in columns
        )
        read = [column.name for column in columns if column.name in self.sentences]
        sentences = tuple(fit_sentences(name, style is EncodingStyle.LINEAR) for name in read)
        self.encodings_ = (*single, *fit_date_differences(columns, frame, style), *sentences)
        return self

    def fit_transform(self, frame: pl.DataFrame, y: Any = None, **_: Any) -> npt.NDArray[np.float64]:
        """Fit, and the features of the very rows to learn from: the target's means are cross-fitted.

        Raises
        ------
        DataError
            As :meth:`fit`.
        """
        matrix = self.fit(frame, y).transform(frame)
        target, start = self._outputs(y), 0
        parts, frame = None, self._with_own(frame)
        for encoding in self.encodings_:
            width = len(encoding.names())
            if isinstance(encoding, TargetEncoding) and target is not None:
                parts = deal_parts(frame.height, self._groups(frame)) if parts is None else parts
                block = cross_fitted_block(encoding, frame[encoding.column], target, parts)
                matrix[:, start : start + width] = block
            start += width
        return matrix

    def sources(self) -> tuple[tuple[str, ...], ...]:
        """For each encoding, the columns of the table that it goes back to; a feature of one's own to its inputs."""
        check_is_fitted(self, "encodings_")
        inputs = {item.name: [c.name for c in item.inputs] for item in (self.own.features if self.own else ())}
        return tuple(
            tuple(dict.fromkeys(source for name in columns_of(encoding) for source in inputs.get(name, [name])))
            for encoding in self.encodings_
        )

    def _with_own(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The table with the features of one's own, if there are any."""
        return frame if self.own is None else self.own.add(frame)

    def _groups(self, frame: pl.DataFrame) -> pl.Series | None:
        """The column whose rows stay together, if the table has it."""
        return frame[self.group] if self.group is not None and self.group in frame.columns else None

    def _outputs(self, y: Any) -> npt.NDArray[np.float64] | None:
        """The target as columns: values, the second of two classes, or each of up to ten; None beyond or without."""
        if y is None or self.classes > _MOST_CLASSES or np.asarray(y).dtype.kind not in "biuf":
            return None
        target: npt.NDArray[np.float64] = np.asarray(y, dtype=np.float64)
        if self.classes <= 2:
            return target[:, np.newaxis]
        shares: npt.NDArray[np.float64] = (target[:, np.newaxis] == np.arange(self.classes)).astype(np.float64)
        return shares

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
        return encode_frame(self.encodings_, self._with_own(frame))

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
