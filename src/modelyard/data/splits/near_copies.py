"""Test rows that are nearly, but not exactly, training rows; as findings of counts only.

What counts as near stands in :mod:`modelyard.data.likeness`; rows are compared by hash.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Finding, Severity, derive_seed
from modelyard.data.likeness import (
    ALIKE,
    BAND,
    COARSER,
    FINENESS,
    GRIDS,
    SHINGLE,
    STABLE,
    Signatures,
    grid_cells,
    middle_half,
    minhash,
    words_of,
)
from modelyard.data.table import Table, TableLike

__all__ = ["near_rows", "near_texts"]

_MOST_ROWS = 20_000
_MIN_ROWS = 50
_MEASURED_ROWS = 50_000
_NOTED_SHARE = 0.002
_GRAVE_SHARE = 0.01

_MOST_TRAIN_TEXTS = 10_000
_MOST_TEXTS = 2_000
_MOST_IN_BUCKET = 20

Hashes = npt.NDArray[np.uint64]


def near_rows(train: TableLike, test: TableLike, columns: Sequence[str]) -> tuple[Finding, ...]:
    """Test rows that equal a training row in every category and, after rounding, in every number, but are no exact copy.

    Needs two columns of numbers with a fraction and many values; looks at 20,000 test rows at most.

    Parameters
    ----------
    train, test
        The parts, with the same types.
    columns
        What a row is about: no identifier, no time, no target, no free text.
    """
    scales = {name: scale for name in columns if (scale := _scale(train[name])) is not None}
    if len(scales) < 2 or test.height < _MIN_ROWS:
        return ()
    known = Table.of(train).reordered(columns)
    looked = _some(test.select(list(columns)), _MOST_ROWS)
    if not _near_on_grid(known, looked, scales, FINENESS, 0).any():  # spares most tables all that follows
        return ()
    exact = np.isin(_hashed(looked, {}, 1.0), _hashed(known, {}, 1.0))
    looked = looked.filter(pl.Series(~exact))
    least = max(2.0, _NOTED_SHARE * looked.height)
    coarse = _repeated(known, looked, scales, FINENESS)
    if coarse < least:
        return ()
    fine = _repeated(known, looked, scales, FINENESS * COARSER)
    if fine < max(least, STABLE * coarse):
        return ()
    return (_finding(fine, looked.height, "rows", "", {"rounded_columns": sorted(scales)}),)


def _scale(values: pl.Series) -> float | None:
    """As :func:`~modelyard.data.likeness.middle_half`, from 50,000 rows at most."""
    return middle_half(values.gather_every(max(len(values) // _MEASURED_ROWS, 1)))


def _some(frame: pl.DataFrame, most: int) -> pl.DataFrame:
    """All rows, or a random choice of them, in order."""
    if frame.height <= most:
        return frame
    return frame[
        np.sort(np.random.default_rng(derive_seed(0, "near copies")).choice(frame.height, most, replace=False))
    ]


def _repeated(train: Table, test: pl.DataFrame, scales: dict[str, float], fineness: float) -> int:
    """Test rows that share their cell with a training row on at least one of four shifted grids."""
    near = np.zeros(test.height, dtype=bool)
    for grid in range(GRIDS):
        near |= _near_on_grid(train, test, scales, fineness, grid)
    return int(near.sum())


def _near_on_grid(
    train: Table, test: pl.DataFrame, scales: dict[str, float], fineness: float, grid: int
) -> npt.NDArray[np.bool_]:
    """Which test rows share their cell with a training row."""
    known = _hashed(train, scales, fineness, grid)
    return np.isin(_hashed(test, scales, fineness, grid), known)


def _hashed(rows: TableLike, scales: dict[str, float], fineness: float, grid: int = 0) -> Hashes:
    """A hash a row, its numbers rounded."""
    shifts = np.random.default_rng(derive_seed(0, "grid", grid)).random(len(scales))
    return Table.of(rows).with_columns(grid_cells(scales, fineness, shifts)).row_hashes(rows.columns).to_numpy()


def near_texts(train: pl.Series, test: pl.Series) -> tuple[Finding, ...]:
    """Test texts that share 80 % of their word triples with a training text whose words are not the same.

    Looks at 2,000 test texts and 10,000 training texts at most.
    """
    known, asked = _texts(train, _MOST_TRAIN_TEXTS), _texts(test, _MOST_TEXTS)
    words = set(known)
    asked = [text for text in asked if text not in words]
    if not known or not asked:
        return ()
    near = sum(_near(minhash(known, 0), minhash(asked, 0)))
    if near < max(2.0, _NOTED_SHARE * len(asked)):
        return ()
    return (_finding(near, len(asked), "texts", train.name, {}),)


def _texts(values: pl.Series, most: int) -> list[str]:
    """The words of each text of a sample, the same ones once; texts of fewer than four words are left out."""
    texts = _some(values.drop_nulls().to_frame(), most).to_series()
    found = (words_of(text) for text in texts)
    return [text for text in dict.fromkeys(found) if text.count(" ") >= SHINGLE]


def _near(known: Signatures, asked: Signatures) -> Iterator[bool]:
    """For each text that is asked about, whether a known one agrees with it in at least 80 % of the hashes."""
    buckets: dict[tuple[int, bytes], list[int]] = {}
    for place, bands in enumerate(_bands(known)):
        for band in bands:
            held = buckets.setdefault(band, [])
            if len(held) < _MOST_IN_BUCKET:
                held.append(place)
    for place, bands in enumerate(_bands(asked)):
        alike = sorted({other for band in bands for other in buckets.get(band, ())})
        yield bool(alike) and bool(((known[alike] == asked[place]).mean(axis=1) >= ALIKE).any())


def _bands(signatures: Signatures) -> Iterator[list[tuple[int, bytes]]]:
    for signature in signatures:
        yield [(start, signature[start : start + BAND].tobytes()) for start in range(0, len(signature), BAND)]


def _finding(near: int, looked_at: int, noun: str, subject: str, evidence: dict[str, object]) -> Finding:
    share = near / looked_at
    return Finding(
        id="near-copies-straddle",
        severity=Severity.WARNING if share >= _GRAVE_SHARE else Severity.INFO,
        subject=subject,
        message=f"{near:,} of {looked_at:,} test {noun} looked at ({share:.1%}) nearly repeat one of the training part.",
        why="A model that remembers its rows is rewarded for it, so the test flatters it; exact comparison misses them.",
        action="Find where they come from (retries, roundings, edited texts); declare what they share as data.group.",
        evidence={noun: near, "share": share, **evidence},
        row="D9",
    )
