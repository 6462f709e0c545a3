"""Rows and texts that are nearly, but not exactly, the same."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, at_least_rows, check
from modelyard.audit.signal import some_rows
from modelyard.core import Finding, Severity, derive_seed
from modelyard.data import Column, ColumnKind
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

__all__ = ["near_duplicate_rows", "near_duplicate_texts"]

_MIN_ROWS = 100
_MOST_ROWS = 20_000
_NOTED_SHARE = 0.002
_GRAVE_SHARE = 0.02

_MOST_TEXTS = 5_000


@check(
    "D6",
    "near-duplicate-rows",
    thresholds=(
        Threshold(
            "cells in the middle half of a column", FINENESS, "copies that were rounded or jittered fall together"
        ),
        Threshold(
            "share that stays in cells four times finer", STABLE, "chance neighbours of two numbers fall to 1/16"
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
    scales = {name: scale for name in names if (scale := middle_half(frame[name])) is not None}
    if len(scales) < 2 or frame.height < _MIN_ROWS:
        return
    coarse = _repeated(frame, scales, FINENESS, context.seed)
    if coarse < max(2, _NOTED_SHARE * frame.height):
        return
    fine = _repeated(frame, scales, FINENESS * COARSER, context.seed)
    if fine < max(2, _NOTED_SHARE * frame.height, STABLE * coarse):
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


def _repeated(frame: pl.DataFrame, scales: dict[str, float], fineness: float, seed: int) -> int:
    """Rows that share their cell with an earlier row on at least one of four shifted grids."""
    random = np.random.default_rng(derive_seed(seed, "grids"))
    repeated = np.zeros(frame.height, dtype=bool)
    for _ in range(GRIDS):
        rounded = frame.with_columns(grid_cells(scales, fineness, random.random(len(scales))))
        repeated |= ~rounded.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    return int(repeated.sum())


@check(
    "D6",
    "near-duplicate-texts",
    thresholds=(
        Threshold("shared word triples (Jaccard)", ALIKE, "a word or two changed in a message of twenty"),
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
        alike = _near_texts(minhash(texts, context.seed))
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
    words = {words_of(text): text for text in reversed(texts)}
    return [words[key] for key in reversed(words) if key.count(" ") >= SHINGLE]


def _near_texts(signatures: Signatures) -> list[int]:
    """Places of texts whose signature agrees with an earlier one's in at least 80 % of the hashes."""
    near: set[int] = set()
    for start in range(0, signatures.shape[1], BAND):
        buckets: dict[bytes, int] = {}
        for place, band in enumerate(np.ascontiguousarray(signatures[:, start : start + BAND])):
            first = buckets.setdefault(band.tobytes(), place)
            if first != place and place not in near and (signatures[first] == signatures[place]).mean() >= ALIKE:
                near.add(place)
    return sorted(near)
