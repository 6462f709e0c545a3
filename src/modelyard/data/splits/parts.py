"""The parts of a table in their final types, cut column by column."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from modelyard.data.schema import Column, ColumnKind, Schema, conform_column, infer_column
from modelyard.data.splits.division import Division
from modelyard.data.splits.strategies import Part
from modelyard.data.table import ColumnStore, Table
from modelyard.problem import Problem

__all__ = ["cut_parts", "dividing_columns"]


def _overrides(problem: Problem) -> Mapping[str, str]:
    """Kinds that are known before any row is looked at: the declared ones and the target's."""
    target = ColumnKind.CATEGORY if problem.task.is_classification else ColumnKind.NUMERIC
    return {**problem.data.types, problem.data.target: target.value}


def _typed(values: pl.Series, problem: Problem) -> pl.Series:
    """A declared column stored as its kind says; the target as text or as numbers; others as they are."""
    kind = _overrides(problem).get(values.name)
    if kind is None:
        return values
    values = conform_column(values, infer_column(values, kind))
    is_number = values.name == problem.data.target and not problem.task.is_classification
    return values.cast(pl.Float64) if is_number else values


def dividing_columns(table: Table, problem: Problem) -> pl.DataFrame:
    """What the strategies look at, and nothing else."""
    names = dict.fromkeys((problem.data.target, problem.data.time, problem.data.group, problem.split.column))
    return pl.DataFrame([_typed(table[name], problem) for name in names if name is not None])


def cut_parts(
    table: Table, division: Division, problem: Problem, folder: Path | None
) -> tuple[Schema, tuple[Table, Table, Table]]:
    """Training, validation and test rows in their final types, and their schema; one column is in memory at a time."""
    known = _overrides(problem)
    stores = [ColumnStore(folder and folder / part.name) for part in Part]
    members = [pl.Series(division.codes == part) for part in Part]
    columns: list[Column] = []
    for name in table.columns:
        values = _typed(table[name], problem)
        column = infer_column(values.filter(members[Part.TRAIN]), known.get(name))
        values = conform_column(values, column)
        for store, member in zip(stores, members, strict=True):
            store.add(values.filter(member))
        columns.append(column if column.dtype == "Null" else dataclasses.replace(column, dtype=str(values.dtype)))
    train, validation, test = (store.table() for store in stores)
    if division.own_test is not None:
        typed = (_typed(division.own_test[name], problem) for name in division.own_test.columns)
        test = Table(pl.DataFrame([conform_column(values, column) for values, column in _paired(typed, columns)]))
    return Schema(tuple(columns)), (train, validation, test)


def _paired(series: Iterable[pl.Series], columns: list[Column]) -> Iterator[tuple[pl.Series, Column]]:
    """Each column of rows with what it is, by name."""
    by_name = {column.name: column for column in columns}
    return ((values, by_name[values.name]) for values in series)
