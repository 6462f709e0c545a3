"""From rows to states: every row counted once, by the period in which it was answered."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import digest_json
from modelyard.data.profile import FeatureReference, ReferenceProfile, as_numbers, bin_places
from modelyard.data.schema import category_text
from modelyard.monitoring.columns import Watched, column_values, watched_columns
from modelyard.monitoring.state.distinct import registers_of
from modelyard.monitoring.state.hashing import hash_numbers, hash_text
from modelyard.monitoring.state.records import LATENCY_BOUNDS_MS, FeatureState, WindowState
from modelyard.monitoring.state.shape import Ruler, Shape
from modelyard.monitoring.windows import moments

__all__ = ["HOUR", "bins_digest", "count_feature", "count_rows"]

HOUR = "1h"
"""The shortest period that states are kept for, as Polars writes it."""

_MOST_LABELS = 200
_BLOCK = 1 << 15
"""Numbers that are counted at once: what is made of them on the way stays in the processor's cache."""


def bins_digest(reference: FeatureReference) -> str:
    """Digest of what decides into which bin a value falls."""
    parts = dataclasses.replace(reference, counts=(), tolerance=0.0).to_dict()
    del parts["pace"]
    return digest_json(parts)[:32]


def count_rows(profile: ReferenceProfile, frame: pl.DataFrame, *, zone: str = "UTC") -> tuple[WindowState, ...]:
    """One state for each hour that has rows, in the order of time.

    Parameters
    ----------
    profile
        Frozen bins of the package.
    frame
        Rows of a prediction log, as :func:`modelyard.monitoring.monitor` takes them. Rows that repeat an ``id`` are the
        caller's to leave out.
    zone
        Whose hours: some zones differ from UTC by half an hour.

    Raises
    ------
    DataError
        If ``at`` is missing or holds no times.
    """
    if frame.is_empty():
        return ()
    rows = frame.with_columns(at=moments(frame))
    starts = rows["at"].dt.convert_time_zone(zone).dt.truncate(HOUR).dt.convert_time_zone("UTC").alias("_start")
    if not starts.is_sorted():
        rows = rows.with_columns(starts).sort("_start", maintain_order=True)
        starts = rows["_start"]
    watched, _ = watched_columns(profile, rows, {})
    runs = starts.rle().struct.unnest()
    ends = runs["len"].cast(pl.Int64).cum_sum().to_list()
    spans = [slice(begin, end) for begin, end in itertools.pairwise([0, *ends])]
    by_column = [_named_states(one, rows, spans) for one in sorted(watched, key=lambda one: one.column)]
    by_hour = zip(*by_column, strict=True) if by_column else [()] * len(spans)
    return tuple(
        _state(start, rows[span], features) for start, span, features in zip(runs["value"], spans, by_hour, strict=True)
    )


def _state(start: dt.datetime, rows: pl.DataFrame, features: tuple[FeatureState, ...]) -> WindowState:
    buckets, total_us = _latency(rows)
    return WindowState(
        start=start,
        rows=rows.height,
        first=rows["at"].min(),  # type: ignore[arg-type] # moments, and there are rows
        last=rows["at"].max(),  # type: ignore[arg-type]
        age_us=int((rows["at"] - start).dt.total_microseconds().sum()),
        ids=int(hash_text(category_text(rows["id"].drop_nulls())).sum()) if "id" in rows.columns else 0,
        unscored=_unscored(rows),
        flagged=_flagged(rows),
        latency=buckets,
        latency_us=total_us,
        decisions=_decisions(rows),
        features=features,
    )


def _named_states(one: Watched, rows: pl.DataFrame, spans: Sequence[slice]) -> list[FeatureState]:
    """A column's state in each span of rows, under the column's name."""
    reference = dataclasses.replace(one.reference, name=one.column)
    return _states(reference, column_values(one, rows), bins_digest(one.reference), spans)


def count_feature(reference: FeatureReference, values: pl.Series, bins: str) -> FeatureState:
    """One column's state; ``values`` are as the profile's kind wants them, ``bins`` is :func:`bins_digest`."""
    return _states(reference, values, bins, [slice(0, len(values))])[0]


def _states(reference: FeatureReference, values: pl.Series, bins: str, spans: Sequence[slice]) -> list[FeatureState]:
    """A state for each span of rows. What is done with every value is done once for all spans."""
    places = bin_places(reference, values)
    counts = [tuple(np.bincount(places[span], minlength=reference.bins).tolist()) for span in spans]
    if reference.is_counted_by_category:
        text = category_text(values)
        levels = [text[span].drop_nulls().unique() for span in spans]
        return [
            FeatureState(reference.name, bins, count, distinct=registers_of([hash_text(level)]))
            for count, level in zip(counts, levels, strict=True)
        ]
    numbers, ruler = as_numbers(values), Ruler.of(reference)
    return [
        _number_state(FeatureState(reference.name, bins, count), ruler, numbers[span])
        for count, span in zip(counts, spans, strict=True)
    ]


def _number_state(counted: FeatureState, ruler: Ruler, numbers: npt.NDArray[np.float64]) -> FeatureState:
    """The state of a column of numbers, with its range, its shape and its distinct values."""
    known = numbers[np.isfinite(numbers)]
    if len(known) == 0:
        return counted
    registers = registers_of(hash_numbers(known[begin : begin + _BLOCK]) for begin in range(0, len(known), _BLOCK))
    return dataclasses.replace(
        counted,
        low=float(known.min()),
        high=float(known.max()),
        shape=Shape.of(ruler, known),
        distinct=registers,
    )


def _unscored(rows: pl.DataFrame) -> int:
    """Rows without a finite score; 0 where no scores are logged."""
    if "score" not in rows.columns:
        return 0
    return int((~np.isfinite(rows["score"].cast(pl.Float64, strict=False).to_numpy())).sum())


def _flagged(rows: pl.DataFrame) -> int:
    if "flags" not in rows.columns or not isinstance(rows["flags"].dtype, pl.List):
        return 0
    return int((rows["flags"].list.len() > 0).sum())


def _latency(rows: pl.DataFrame) -> tuple[tuple[int, ...], int]:
    if "latency_ms" not in rows.columns:
        return (), 0
    known: npt.NDArray[np.float64] = rows["latency_ms"].cast(pl.Float64, strict=False).drop_nulls().to_numpy()
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return (), 0
    places = np.searchsorted(LATENCY_BOUNDS_MS, known, side="left")
    counts = np.bincount(places, minlength=len(LATENCY_BOUNDS_MS) + 1)
    return tuple(counts.tolist()), int(np.rint(known * 1000).astype(np.int64).sum())


def _decisions(rows: pl.DataFrame) -> dict[str, int]:
    """Rows by decided label; none where labels are so many that they are no classes."""
    if "label" not in rows.columns:
        return {}
    text = category_text(rows["label"]).drop_nulls()
    counted = text.value_counts()
    if counted.height > _MOST_LABELS:
        return {}
    names, numbers = counted.to_series(0), counted.to_series(1)
    return {name: int(number) for name, number in sorted(zip(names, numbers, strict=True))}
