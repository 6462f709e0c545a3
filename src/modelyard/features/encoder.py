"""The scikit-learn estimator that learns encodings from training rows. Imports scikit-learn; serving does not need it."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from modelyard.core import DataError
from modelyard.data import Column
from modelyard.features.arrays import as_table, columns_in
from modelyard.features.encodings import (
    CategoryEncoding,
    CategoryStyle,
    Encoding,
    EncodingStyle,
    LeftOutEncoding,
    columns_of,
    encode_frame,
    sources_of,
)
from modelyard.features.fitting import fit_date_differences, fit_encoding, fit_interactions
from modelyard.features.numbers import require_numbers
from modelyard.features.own import OwnFeatures
from modelyard.features.selection import Block, BoostedJudge, LinearJudge, Selection, column_cap, select
from modelyard.features.sentences import fit_sentences
from modelyard.features.targets import TargetEncoding, cross_fitted_block, deal_parts
from modelyard.problem import FeaturePlan

__all__ = ["TableEncoder"]

Matrix = npt.NDArray[np.float64]

_MOST_CLASSES = 10
"""Beyond this many classes the target's means would be too many features for one column."""


class TableEncoder(TransformerMixin, BaseEstimator):
    """Typed columns to a float64 matrix, as one step of a scikit-learn pipeline.

    All that is learned stands in ``encodings_``, plain records that :func:`modelyard.features.encode_row` and
    :func:`~modelyard.features.encode_frame` apply without scikit-learn. Only the rows given to ``fit`` are looked at.

    The target, if it is given, is looked at for categories with many levels, and to choose columns where there are too
    many for the rows. The rows that an estimator learns from must come from ``fit_transform``: it gives them the
    target's means as rows other than their own tell them, while ``transform`` gives every later row what all training
    rows tell.

    Parameters
    ----------
    columns
        The feature columns with their kinds, in the order of the output. Other columns of a table are ignored, and
        the order of a table's columns does not matter. None takes all columns by their inferred kinds, also from
        arrays and other libraries' frames, and then wants the same columns again, as scikit-learn's estimators do.
    style
        What the estimator behind it needs, an :class:`~modelyard.features.EncodingStyle` or its name.
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
    plan
        What the project file declares; None for the rules alone, and no selection.

    Attributes
    ----------
    columns_
        The columns that were learnt from.
    encodings_
        For each column, after ``fit``: its encoding, then its sentences'; then what reads two columns.
    selection_
        Which columns were chosen; None if all may stay.
    """

    columns_: tuple[Column, ...]
    encodings_: tuple[Encoding, ...]
    selection_: Selection | None

    def __init__(
        self,
        columns: tuple[Column, ...] | None = None,
        style: str = "tree",
        time: str | None = None,
        classes: int = 0,
        group: str | None = None,
        own: OwnFeatures | None = None,
        plan: FeaturePlan | None = None,
    ) -> None:
        self.columns = columns
        self.style = style
        self.time = time
        self.classes = classes
        self.group = group
        self.own = own
        self.plan = plan

    def fit(self, frame: Any, y: Any = None) -> Self:
        """Learn the encodings from training rows.

        Parameters
        ----------
        y
            The target as codes 0 … k-1 or as values; None, or names instead of codes, leave it out of every encoding.

        Raises
        ------
        DataError
            If a column is missing, there is no row, or a kind cannot be a feature.
        ConfigError
            If the plan declares what is no column of numbers.
        """
        self._learn(self._begin(frame), y)
        return self

    def fit_transform(self, frame: Any, y: Any = None, **_: Any) -> npt.NDArray[np.float64]:
        """Fit, and the features of the very rows to learn from: the target's means are cross-fitted.

        Raises
        ------
        DataError
            As :meth:`fit`.
        """
        table = self._begin(frame)
        matrix = self._learn(table, y)
        return self._training_rows(table, y) if matrix is None else matrix

    def _begin(self, frame: Any) -> pl.DataFrame:
        """The table to learn from with the features of one's own, and its columns."""
        if self.columns is None:
            frame = as_table(self, frame, reset=True)
            self.columns_ = columns_in(frame)
        else:
            self.columns_ = self.columns
        _check_table(frame, self.columns_)
        self.n_features_in_ = len(self.columns_)
        return self._with_own(frame)

    def _learn(self, table: pl.DataFrame, y: Any) -> Matrix | None:
        """Learn the encodings; the training rows' features, if choosing columns took them."""
        columns = self.columns_ + (self.own.columns if self.own is not None else ())
        style, target, plan = EncodingStyle(self.style), self._outputs(y), self.plan or FeaturePlan(selection="none")
        require_numbers(plan, columns)
        single: list[Encoding] = []
        for column in columns:
            single.append(
                fit_encoding(
                    column,
                    table[column.name],
                    style,
                    calendar_only=column.name == self.time,
                    target=target,
                    transform=plan.columns.get(column.name),
                    drifts=self.time is not None,
                )
            )
            if column.name in plan.sentences:
                single.append(fit_sentences(column.name, style.is_scaled))
        differences = fit_date_differences(columns, table, style)
        self.encodings_ = (*single, *differences, *fit_interactions(plan.interactions, table))
        self.selection_ = None
        return self._choose(table, y)

    def _choose(self, table: pl.DataFrame, y: Any) -> Matrix | None:
        """Leave columns out where the plan's rule says so; gives the features of the others."""
        codes, blocks = _codes(y), _blocks(self.encodings_)
        style, classes = EncodingStyle(self.style), self.classes
        if self.plan is None or codes is None:
            return None
        cap = column_cap(self.plan.selection, codes, columns=len(blocks), classes=classes, adds_up=style.is_scaled)
        if cap is None or len(blocks) <= 1:
            return None
        matrix = self._training_rows(table, y)
        judge = LinearJudge(classes) if style.is_scaled else BoostedJudge(classes)
        parts = deal_parts(table.height, self._groups(table))
        may_stay = self.plan.selection == "auto"
        self.selection_ = select(blocks, matrix, codes, parts, judge=judge, cap=cap, must=not may_stay)
        if self.selection_ is None:
            return matrix
        kept = set(self.selection_.chosen)
        places = [place for block in blocks if block.name in kept for place in range(block.start, block.stop)]
        self.encodings_ = tuple(_unless_chosen(item, self.selection_) for item in self.encodings_)
        return np.ascontiguousarray(matrix[:, places])

    def _training_rows(self, table: pl.DataFrame, y: Any) -> Matrix:
        """The features of the rows to learn from."""
        matrix = encode_frame(self.encodings_, table)
        target, parts, start = self._outputs(y), None, 0
        for encoding in self.encodings_:
            width = len(encoding.names())
            if isinstance(encoding, TargetEncoding) and target is not None:
                parts = deal_parts(table.height, self._groups(table)) if parts is None else parts
                block = cross_fitted_block(encoding, table[encoding.column], target, parts)
                matrix[:, start : start + width] = block
            start += width
        return matrix

    def sources(self) -> tuple[tuple[str, ...], ...]:
        """For each encoding, the columns of the table that it goes back to; a feature of one's own to its inputs."""
        check_is_fitted(self, "encodings_")
        inputs = {item.name: [c.name for c in item.inputs] for item in (self.own.features if self.own else ())}
        return sources_of(self.encodings_, inputs)

    def embeddings(self) -> tuple[tuple[int, int], ...]:
        """The matrix's columns of codes that a neural model embeds: place, and number of codes (0 … size - 1)."""
        check_is_fitted(self, "encodings_")
        found, start = [], 0
        for encoding in self.encodings_:
            if isinstance(encoding, CategoryEncoding) and encoding.style is CategoryStyle.CODES:
                found.append((start, len(encoding.levels) + 1))
            start += len(encoding.names())
        return tuple(found)

    def _with_own(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The table with the features of one's own, if there are any."""
        return frame if self.own is None else self.own.add(frame)

    def _groups(self, frame: pl.DataFrame) -> pl.Series | None:
        """The column whose rows stay together, if the table has it."""
        return frame[self.group] if self.group is not None and self.group in frame.columns else None

    def _outputs(self, y: Any) -> npt.NDArray[np.float64] | None:
        """The target as columns: values, the second of two classes, or each of up to ten; None beyond or without."""
        target = _codes(y)
        if target is None or self.classes > _MOST_CLASSES:
            return None
        if self.classes <= 2:
            return target[:, np.newaxis]
        shares: npt.NDArray[np.float64] = (target[:, np.newaxis] == np.arange(self.classes)).astype(np.float64)
        return shares

    def transform(self, frame: Any) -> npt.NDArray[np.float64]:
        """Features of a table, shape (rows, features).

        Raises
        ------
        DataError
            If a column seen in training is missing.
        sklearn.exceptions.NotFittedError
            If called before ``fit``.
        """
        check_is_fitted(self, "encodings_")
        table = as_table(self, frame, reset=False) if self.columns is None else frame
        return encode_frame(self.encodings_, self._with_own(table))

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may hand in: gaps, texts and categories too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Names of the output's columns, each once; a name that comes again gets a number."""
        check_is_fitted(self, "encodings_")
        seen: dict[str, int] = {}
        names = []
        for name in (name for encoding in self.encodings_ for name in encoding.names()):
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
        return np.array(names, dtype=object)


def _codes(y: Any) -> Matrix | None:
    """The target as numbers; None without, or if it holds names instead of codes."""
    if y is None or np.asarray(y).dtype.kind not in "biuf":
        return None
    codes: Matrix = np.asarray(y, dtype=np.float64)
    return codes


def _blocks(encodings: Sequence[Encoding]) -> list[Block]:
    """Where in the matrix the features of each column stand; columns without features have no place."""
    blocks: list[Block] = []
    start = 0
    for encoding in encodings:
        stop = start + len(encoding.names())
        if blocks and blocks[-1].name == encoding.column:  # a text's terms and its sentences stand or fall together
            blocks[-1] = Block(encoding.column, blocks[-1].start, stop)
        elif stop > start:
            blocks.append(Block(encoding.column, start, stop))
        start = stop
    return blocks


def _unless_chosen(encoding: Encoding, selection: Selection) -> Encoding:
    """The encoding, or the word that selection left it out."""
    if not encoding.names() or encoding.column in selection.chosen:
        return encoding
    reason = f"left out: not among the {len(selection.chosen)} columns that tell most, of {len(selection.candidates)}"
    return LeftOutEncoding(encoding.column, columns_of(encoding), reason)


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
    present = set(frame.columns)
    absent = [column.name for column in columns if column.name not in present]
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
