"""Rows and texts that are nearly, but not exactly, the same."""

import re
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, at_least_rows, check
from modelyard.audit.signal import some_rows
from modelyard.core import Finding, Severity, derive_seed
from modelyard.data import Column, ColumnKind

__all__ = ["near_duplicate_rows", "near_duplicate_texts"]

_MIN_ROWS = 100
_MOST_ROWS = 20_000
_FINENESS = 100.0
_COARSER = 4.0
_GRIDS = 4
_STABLE = 0.5
_CONTINUOUS = 100
_NOTED_SHARE = 0.002
_GRAVE_SHARE = 0.02

_MOST_TEXTS = 5_000
_HASHES = 64
_BAND = 4
_SHINGLE = 3
_ALIKE = 0.8
_PRIME = (1 << 31) - 1


@check(
    "D6",
    "near-duplicate-rows",
    thresholds=(
        Threshold(
            "cells in the middle half of a column", _FINENESS, "copies that were rounded or jittered fall together"
        ),
        Threshold(
            "share that stays in cells four times finer", _STABLE, "chance neighbours of two numbers fall to 1/16"
        ),
        Threshold("share of rows", _NOTED_SHARE, "a handful of look-alikes is in every table"),
        Threshold("share for a warning", _GRAVE_SHARE, "then a validation part is full of rows seen before"),
    ),
    needs=(at_least_rows(_MIN_ROWS),),
)
def near_duplicate_rows(context: AuditContext) -> Iterator[Finding]:
    """Rows equal to another in every category and, after rounding, in every number, but not exact copies.

    Numbers are rounded to hundredths of their middle half on four shifted grids. Rows that are neighbours by chance
    part when the cells become finer, copies do not; only what stays is reported. On at most 20,000 rows.

    Harm: Near copies on both sides of a split let a model remember instead of learn; exact comparison misses them.
    """
    chosen = some_rows(context.sample.height, _MOST_ROWS, derive_seed(context.seed, "near duplicates"))
    names = [name for name in context.compared_columns if context.train.schema.column(name).kind is not ColumnKind.TEXT]
    frame = context.sample[chosen].select(names).unique(maintain_order=True)
    scales = {name: scale for name in names if (scale := _scale(frame[name])) is not None}
    if len(scales) < 2 or frame.height < _MIN_ROWS:
        return
    coarse = _repeated(frame, scales, _FINENESS, context.seed)
    if coarse < max(2, _NOTED_SHARE * frame.height):
        return
    fine = _repeated(frame, scales, _FINENESS * _COARSER, context.seed)
    if fine < max(2, _NOTED_SHARE * frame.height, _STABLE * coarse):
        return
    share = fine / frame.height
    yield Finding(
        id="near-duplicate-rows",
        severity=Severity.WARNING if share >= _GRAVE_SHARE else Severity.INFO,
        subject="",
        message=f"{fine:,} of {frame.height:,} different rows looked at ({share:.1%}) nearly repeat another row.",
        why="Near copies on both sides of a split let a model remember instead of learn.",
        action="Find where they come from (retries, roundings, augmented rows); keep one, or declare what they share "
        "as data.group.",
        evidence={"rows": fine, "share": share, "rounded_columns": sorted(scales)},
        row="D6",
    )


def _scale(values: pl.Series) -> float | None:
    """Width of the middle half of a column of many different numbers; None for other columns."""
    if not values.dtype.is_float() or values.n_unique() < _CONTINUOUS:
        return None
    numbers = values.drop_nulls().to_numpy()
    low, high = np.quantile(numbers, [0.25, 0.75])
    return float(high - low) if np.isfinite(high - low) and high > low else None


def _repeated(frame: pl.DataFrame, scales: dict[str, float], fineness: float, seed: int) -> int:
    """Rows that share their cell with an earlier row on at least one of four shifted grids."""
    random = np.random.default_rng(derive_seed(seed, "grids"))
    repeated = np.zeros(frame.height, dtype=bool)
    for _ in range(_GRIDS):
        shift = random.random(len(scales))
        cells = [
            (pl.col(name) * (fineness / scale) + offset).floor()
            for (name, scale), offset in zip(scales.items(), shift, strict=True)
        ]
        rounded = frame.with_columns(cells)
        repeated |= ~rounded.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    return int(repeated.sum())


@check(
    "D6",
    "near-duplicate-texts",
    thresholds=(
        Threshold("shared word triples (Jaccard)", _ALIKE, "a word or two changed in a message of twenty"),
        Threshold("share for a warning", _NOTED_SHARE * 5, "templates and replies repeat in every collection"),
    ),
)
def near_duplicate_texts(context: AuditContext) -> Iterator[Finding]:
    """Free texts that share at least 80 % of their word triples with an earlier, different text (at most 5,000 texts).

    By MinHash with 64 hashes in bands of four (Broder, 1997).

    Harm: A text that was edited a little is on both sides of a split, and the model remembers it.
    """
    for column in context.train.schema.columns:
        if column.kind is not ColumnKind.TEXT or column.name == context.roles.target:
            continue
        texts = _different_texts(context, column)
        alike = _near_texts(_signatures(texts, context.seed))
        if not alike:
            continue
        share = len(alike) / len(texts)
        yield Finding(
            id="near-duplicate-texts",
            severity=Severity.WARNING if share >= _NOTED_SHARE * 5 else Severity.INFO,
            subject=column.name,
            message=f"{len(alike):,} of {len(texts):,} different texts looked at ({share:.1%}) nearly repeat another.",
            why="A text that was edited a little is on both sides of a split, and the model remembers it.",
            action="Keep one of each family, or declare what they share as data.group.",
            evidence={"texts": len(alike), "share": share, "example": texts[alike[0]][:200]},
            row="D6",
        )


def _different_texts(context: AuditContext, column: Column) -> list[str]:
    """Texts of a sample that differ in their words, in order."""
    chosen = some_rows(context.frame.height, _MOST_TEXTS, derive_seed(context.seed, "texts"))
    texts = context.frame[column.name][chosen].drop_nulls().to_list()
    words = {" ".join(re.findall(r"\w+", text.lower())): text for text in reversed(texts)}
    return [words[key] for key in reversed(words) if key.count(" ") >= _SHINGLE]


def _signatures(texts: list[str], seed: int) -> npt.NDArray[np.int64]:
    """MinHash signatures, shape (texts, 64)."""
    random = np.random.default_rng(derive_seed(seed, "minhash"))
    factor = random.integers(1, _PRIME, (_HASHES, 1), dtype=np.int64)
    shift = random.integers(0, _PRIME, (_HASHES, 1), dtype=np.int64)
    found = np.empty((len(texts), _HASHES), dtype=np.int64)
    for place, text in enumerate(texts):
        words = re.findall(r"\w+", text.lower())
        triples = {" ".join(words[start : start + _SHINGLE]) for start in range(max(len(words) - _SHINGLE + 1, 1))}
        hashes = np.array([zlib.crc32(triple.encode()) & _PRIME for triple in triples], dtype=np.int64)
        found[place] = ((factor * hashes + shift) % _PRIME).min(axis=1)
    return found


def _near_texts(signatures: npt.NDArray[np.int64]) -> list[int]:
    """Places of texts whose signature agrees with an earlier one's in at least 80 % of the hashes."""
    near: set[int] = set()
    for start in range(0, _HASHES, _BAND):
        buckets: dict[bytes, int] = {}
        for place, band in enumerate(np.ascontiguousarray(signatures[:, start : start + _BAND])):
            first = buckets.setdefault(band.tobytes(), place)
            if first != place and place not in near and (signatures[first] == signatures[place]).mean() >= _ALIKE:
                near.add(place)
    return sorted(near)
