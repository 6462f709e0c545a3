"""Columns that stand in for protected ones: leaving a protected column out does not keep a model from knowing it."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.signal import bin_values, cross_fitted, joint_score, score_name, score_of, some_rows, strength
from modelyard.core import derive_seed
from modelyard.data.schema import Column, ColumnKind, category_text
from modelyard.evaluation.reasons.records import Proxy
from modelyard.problem import Task

__all__ = ["find_proxies", "place_columns"]

Array = npt.NDArray[np.float64]
_FOLDS, _MOST_ROWS, _FEWEST_ROWS = 5, 10_000, 200
_MOST_LEVELS, _FEWEST_OF_A_LEVEL = 10, 20
_STRENGTH = 0.3
"""A column below this share of the way from chance to perfect (ROC AUC 0.65) is no proxy."""

_PLACE_WORDS = frozenset(
    [
        "address",
        "borough",
        "city",
        "country",
        "county",
        "district",
        "latitude",
        "longitude",
        "lat",
        "lon",
        "lng",
        "municipality",
        "neighborhood",
        "neighbourhood",
        "plz",
        "postal",
        "postcode",
        "province",
        "region",
        "state",
        "street",
        "suburb",
        "tract",
        "village",
        "zip",
        "zipcode",
    ]
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def find_proxies(
    protected: Sequence[str], columns: Sequence[Column], training: pl.DataFrame, *, seed: int
) -> tuple[Proxy, ...]:
    """For each protected column: the model's columns that predict it well on held-out rows, then all of them together.

    Parameters
    ----------
    columns
        What the model reads; a protected column among them is no proxy of itself.
    training
        The rows to look at; at most 10,000 of them. Below 200 rows nothing is said.
    """
    frame = training[some_rows(training.height, _MOST_ROWS, seed)]
    if frame.height < _FEWEST_ROWS:
        return ()
    folds = np.random.default_rng(seed).permutation(frame.height) % _FOLDS
    found: list[Proxy] = []
    for name in protected:
        others = [column for column in columns if column.name != name and column.kind is not ColumnKind.TEXT]
        if name in frame.columns and others:
            found += _of(name, others, frame, folds, derive_seed(seed, name))
    return tuple(found)


def _of(
    name: str, columns: Sequence[Column], frame: pl.DataFrame, folds: npt.NDArray[np.int64], seed: int
) -> list[Proxy]:
    target, task = _target(frame[name])
    if target.shape[1] == 0:
        return []
    binned = [bin_values(frame[column.name], column.kind) for column in columns]
    proxies = []
    for column, bins in zip(columns, binned, strict=True):
        score = score_of(target, cross_fitted(bins, target, folds), task)
        if strength(score, task) >= _STRENGTH:
            proxies.append(Proxy(name, column.name, score, score_name(task), strength(score, task)))
    together = joint_score(binned, target, folds, task, seed=seed)
    proxies.sort(key=lambda proxy: -proxy.strength)
    return [*proxies, Proxy(name, "", together, score_name(task), strength(together, task))]


def _target(values: pl.Series) -> tuple[Array, Task]:
    """Numbers of many values as they are; else a column of 0 and 1 for each level that is not rare.

    Of two levels, one column says it all.
    """
    if values.dtype.is_numeric() and values.n_unique() > _MOST_LEVELS:
        numbers = values.cast(pl.Float64).fill_nan(None)
        return numbers.fill_null(numbers.median()).to_numpy()[:, np.newaxis], Task.REGRESSION
    text = category_text(values).fill_null("(missing)")
    counts = text.value_counts(sort=True).filter(pl.col("count") >= _FEWEST_OF_A_LEVEL).head(_MOST_LEVELS)
    levels = counts[counts.columns[0]].to_list()
    if len(levels) < 2:
        return np.empty((len(values), 0)), Task.BINARY
    chosen = levels[:1] if len(levels) == 2 and text.n_unique() == 2 else levels
    shown = np.column_stack([(text == level).to_numpy() for level in chosen]).astype(np.float64)
    if len(chosen) > 1 and not shown.any(axis=1).all():
        shown = np.column_stack([shown, ~shown.any(axis=1)]).astype(np.float64)
    return shown, Task.BINARY if len(chosen) == 1 else Task.MULTICLASS


def place_columns(columns: Sequence[Column]) -> tuple[str, ...]:
    """Names that say where somebody lives, by their words.

    >>> place_columns([Column(name, ColumnKind.CATEGORY, "", True) for name in ("ZipCode", "home_city", "capacity")])
    ('ZipCode', 'home_city')
    """
    return tuple(
        column.name for column in columns if any(word.lower() in _PLACE_WORDS for word in _WORD.findall(column.name))
    )
