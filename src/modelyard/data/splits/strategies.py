"""The ways to divide rows: each gives every row one part, by a rule that is stated and holds exactly."""

import dataclasses
import enum
import itertools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError
from modelyard.data.schema import category_text

__all__ = [
    "LEFT_OUT",
    "PARTS",
    "Codes",
    "Part",
    "Shares",
    "by_column",
    "by_group",
    "by_time",
    "quantile_bins",
    "randomly",
    "stratified",
]

_ALIASES = {"train": 0, "training": 0, "validation": 1, "valid": 1, "val": 1, "dev": 1, "test": 2, "testing": 2}
_SHOWN_VALUES = 5

Codes = npt.NDArray[np.int8]
"""The part of each row, as :class:`Part`."""


class Part(enum.IntEnum):
    """The three parts of a split, as codes of rows."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


PARTS = tuple(Part)
LEFT_OUT = -1
"""The code of a row in no part."""

_TARGET_BINS = 10


@dataclasses.dataclass(frozen=True)
class Shares:
    """Wanted shares of rows; they add up to 1."""

    train: float
    validation: float
    test: float

    def without_test(self) -> "Shares":
        """The same proportion of train to validation, with nothing to seal."""
        rest = self.train + self.validation
        return Shares(self.train / rest, self.validation / rest, 0.0)

    @property
    def as_tuple(self) -> tuple[float, float, float]:
        """Train, validation, test."""
        return (self.train, self.validation, self.test)

    @property
    def bounds(self) -> tuple[float, float]:
        """Where train ends and where validation ends, as shares of the rows; the last share above 0 ends at 1."""
        first = 1.0 if self.validation == self.test == 0 else self.train
        return first, 1.0 if self.test == 0 else self.train + self.validation


def _nearest(rows: npt.ArrayLike, bound: float) -> npt.NDArray[np.int64]:
    """The whole number nearest to a share of rows, halves up."""
    return np.floor(np.asarray(rows, dtype=np.float64) * bound + 0.5 + 1e-9).astype(np.int64)


def _cut(position: npt.NDArray[np.int64], rows: npt.ArrayLike, shares: Shares) -> Codes:
    """Parts by position among ``rows`` rows: first train, then validation, then test."""
    first, second = shares.bounds
    codes = (position >= _nearest(rows, first)).astype(np.int8)
    codes[position >= np.maximum(_nearest(rows, second), _nearest(rows, first))] = Part.TEST
    if shares.validation == 0:
        codes[codes == Part.VALIDATION] = Part.TEST
    return codes


def randomly(rows: int, shares: Shares, seed: int) -> Codes:
    """Every row by chance."""
    position = np.random.default_rng(seed).permutation(rows)
    return _cut(position, rows, shares)


def stratified(labels: pl.Series, shares: Shares, seed: int) -> Codes:
    """Every row by chance within its class: each part holds its share of each class, within one row."""
    text = category_text(labels)
    # Codes by sorted label, so that the draw does not depend on which class comes first in the table.
    classes = text.unique().sort()
    codes = text.replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
    order = np.lexsort((np.random.default_rng(seed).random(len(codes)), codes))
    sizes = np.bincount(codes, minlength=len(classes))
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = np.arange(len(codes)) - np.repeat(starts, sizes)
    return _cut(rank, sizes[codes], shares)


def quantile_bins(values: pl.Series) -> pl.Series:
    """Numbers as the tenth of them in which they lie, so that they can be stratified like classes.

    >>> quantile_bins(pl.Series(range(20))).to_list()[:4]
    [0, 0, 1, 1]
    """
    edges = np.unique(np.quantile(values.to_numpy(), np.arange(1, _TARGET_BINS) / _TARGET_BINS))
    return pl.Series(np.searchsorted(edges, values.to_numpy(), side="left"))


def by_group(groups: pl.Series, shares: Shares, seed: int, *, labels: pl.Series | None = None) -> Codes:
    """Whole groups by chance, so that the parts come near their shares of rows, and of each class.

    Groups larger than the smallest part come first, the others in random order; each goes where it brings the parts
    nearest to their shares: of rows, and of rows of each class if ``labels`` are given (as in scikit-learn's
    StratifiedGroupKFold, for parts of different sizes).

    Raises
    ------
    DataError
        If a group is missing, or there are fewer groups than parts.
    """
    _refuse_missing(groups, "group", "Fill it in, or exclude those rows at the source")
    codes = groups.rank("dense").cast(pl.Int64).to_numpy() - 1
    sizes = np.bincount(codes)
    wanted = np.array(shares.as_tuple) * len(codes)
    used = np.flatnonzero(wanted > 0)
    if len(sizes) < len(used):
        raise DataError(
            f"{len(sizes)} groups cannot fill {len(used)} parts",
            where=f"column {groups.name!r}",
            cure="Choose another group column, or fewer parts under split",
        )
    # Groups larger than the smallest part go first; the order of all others is random.
    giant = np.where(sizes > wanted[used].min(), sizes, 0)
    order = np.lexsort((np.random.default_rng(seed).random(len(sizes)), -giant))
    filled = _fill(order, _contents(codes, labels), {int(part): shares.as_tuple[part] for part in used})
    parts: Codes = filled[codes]
    return parts


def _contents(codes: npt.NDArray[np.int64], labels: pl.Series | None) -> npt.NDArray[np.float64]:
    """What each group holds of all rows, and of all rows of each class: shape (groups, 1 + classes)."""
    columns = [np.bincount(codes) / len(codes)]
    if labels is not None:
        text = category_text(labels)
        for name in text.unique().sort():
            member = (text == name).to_numpy().astype(np.float64)
            columns.append(np.bincount(codes, member) / member.sum())
    return np.column_stack(columns)


def _fill(order: npt.NDArray[np.intp], contents: npt.NDArray[np.float64], wanted: dict[int, float]) -> Codes:
    """The part of each group: where it lessens the squared distance from the wanted shares most, or brings it up least;
    the last groups go to the parts that would else stay empty.
    """
    lacking = {part: np.full(contents.shape[1], share) for part, share in wanted.items()}
    empty = set(wanted)
    part_of_group = np.zeros(len(contents), dtype=np.int8)
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        candidates = empty if len(empty) >= left else wanted
        # Adding c to a part that lacks d changes the sum of squares by |c|² - 2·c·d, and |c|² is the same everywhere.
        part = max(candidates, key=lambda item: (float(contents[group] @ lacking[item]), -item))
        part_of_group[group] = part
        lacking[part] = lacking[part] - contents[group]
        empty.discard(part)
    return part_of_group


def by_time(moments: pl.Series, shares: Shares) -> Codes:
    """The past to train, the present to validation, the latest to test; equal moments stay together.

    Raises
    ------
    DataError
        If a moment is missing, the column is neither a date nor a number, or there are too few distinct moments.
    """
    _refuse_missing(moments, "time", "Fill it in, or exclude those rows at the source")
    if not (moments.dtype.is_temporal() or moments.dtype.is_numeric()):
        raise DataError(
            "the time column is neither a date nor a number",
            where=f"column {moments.name!r}",
            got=f"{moments.dtype} such as {moments[0]!r}",
            cure="Write its values as ISO 8601: 2024-02-29",
        )
    # Ranks from 0, equal for equal moments: the rows before the first row of that moment.
    rank = moments.rank("min").cast(pl.Int64).to_numpy() - 1
    starts = np.unique(rank)
    used = [part for part in PARTS if shares.as_tuple[part] > 0]
    if len(starts) < len(used):
        raise DataError(
            "there are too few distinct moments to divide by time",
            where=f"column {moments.name!r}",
            got=f"{len(starts)} for {len(used)} parts",
            cure="Use a finer time column, or strategy: random under split",
        )
    codes = np.full(len(rank), used[0], dtype=np.int8)
    begun = 0.0
    start = 0
    for left, (before, part) in zip(range(len(used) - 1, 0, -1), itertools.pairwise(used), strict=True):
        begun += shares.as_tuple[before]
        possible = starts[(starts > start)][: -(left - 1) or None]
        start = int(possible[np.argmin(np.abs(possible - _nearest(len(rank), begun)))])
        codes[rank >= start] = part
    return codes


def by_column(values: pl.Series, shares: Shares) -> Codes:
    """The parts that a column names: train, validation, test.

    Raises
    ------
    DataError
        If a value is missing or means no part, or no row is named train.
    """
    _refuse_missing(values, "split", "Write train, validation or test in every row")
    words = category_text(values).str.strip_chars().str.to_lowercase()
    unknown = sorted(set(words.unique().to_list()) - set(_ALIASES))
    if unknown:
        raise DataError(
            "the split column holds other words than train, validation and test",
            where=f"column {values.name!r}",
            got=", ".join(map(repr, unknown[:_SHOWN_VALUES])),
            cure="Write train, validation or test in every row, or choose another strategy",
        )
    codes = words.replace_strict(_ALIASES, return_dtype=pl.Int8).to_numpy().copy()
    for part in (Part.TRAIN, Part.TEST):
        if not (codes == part).any() and shares.as_tuple[part] > 0:
            raise DataError(
                f"the split column names no row {part.name.lower()}",
                where=f"column {values.name!r}",
                cure="Write train, validation or test in every row, or choose another strategy",
            )
    return codes


def _refuse_missing(values: pl.Series, use: str, cure: str) -> None:
    if missing := values.null_count():
        raise DataError(
            f"the {use} column has no value in {missing:,} of {len(values):,} rows",
            where=f"column {values.name!r}",
            cure=cure,
        )
