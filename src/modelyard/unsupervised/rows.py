"""The rows of a task without a target to learn: sealed first, then as points of one scale."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Actor, ConfigError, DataError, Finding, Severity, derive_seed
from modelyard.data import (
    Column,
    ColumnKind,
    Schema,
    Split,
    assign_roles,
    category_text,
    check_columns,
    seal_rows,
)
from modelyard.data.splits.strategies import Part, Shares, by_group, by_time, randomly, stratified
from modelyard.data.version import StoredDataset
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["Array", "Points", "check_rows", "divide_rows", "encode_points", "row_names", "used_columns"]

Array = npt.NDArray[np.float64]

_FEWEST_ROWS = 30
_MOSTLY_MISSING = 0.5
_MOSTLY_ALIKE = 0.2


@dataclasses.dataclass(frozen=True)
class Points:
    """Rows as points: every number on one scale, categories as zeros and ones.

    Parameters
    ----------
    encoder
        Fitted on the training rows.
    columns
        What went in.
    matrix
        Shape (rows, features).
    """

    encoder: TableEncoder
    columns: tuple[Column, ...]
    matrix: Array


def divide_rows(dataset: StoredDataset, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """Seal ``split.test`` of the rows: the latest if a time is declared, whole groups if a group is, else any.

    The shares of training and validation are one part here, since nothing is tuned on a part of its own.

    Raises
    ------
    ConfigError
        If nothing is to be sealed.
    DataError
        If a declared column is absent or unfit, or there are fewer than 30 rows.
    """
    plan, data, table = problem.split, problem.data, dataset.table
    if plan.test == 0:
        raise ConfigError("nothing would be sealed", where="split.test", got="0", cure="Set split.test above 0")
    check_columns(problem, table.columns)
    if data.target and data.target not in table.columns:
        raise DataError(
            "the table has no such column", where="data.target", got=repr(data.target), cure="Mend its name"
        )
    if table.height < _FEWEST_ROWS:
        raise DataError("there are too few rows", got=f"{table.height}", cure=f"Bring {_FEWEST_ROWS} at least")
    shares = Shares(1 - plan.test, 0.0, plan.test)
    seed = derive_seed(plan.seed, "split")
    if data.time is not None:
        strategy, codes = "time", by_time(table[data.time], shares)
        reason = f"The latest rows by {data.time!r} are sealed."
    elif data.group is not None:
        strategy, codes = "group", by_group(table[data.group], shares, seed)
        reason = f"Whole groups of {data.group!r} are sealed."
    elif data.target:
        labels = category_text(table[data.target]).fill_null("")
        strategy, codes = "stratified", stratified(labels, shares, seed)
        reason = "Rows are sealed at random, with equal shares of what is labelled."
    else:
        strategy, codes, reason = "random", randomly(table.height, shares, seed), "Rows are sealed at random."
    sealed = pl.Series(codes == Part.TEST)
    rule = {"strategy": strategy, "reason": reason, "share": plan.test, "seed": plan.seed, "target": data.target}
    columns = {"time": data.time, "group": data.group}
    return seal_rows(dataset, sealed, problem, workspace, actor, rule | columns)


def used_columns(problem: Problem, schema: Schema) -> tuple[tuple[Column, ...], Mapping[str, str]]:
    """The columns that rows are compared by, and the others with the reason.

    Raises
    ------
    DataError
        If none is left.
    """
    roles = assign_roles(problem, schema)
    excluded = dict(roles.excluded)
    used = []
    for name in roles.features:
        column = schema.column(name)
        if column.kind in (ColumnKind.TEXT, ColumnKind.DATE):
            excluded[name] = f"a {column.kind.value} has no distance that means something beside the others"
        else:
            used.append(column)
    if not used:
        raise DataError(
            "no column is left to compare rows by",
            got="; ".join(f"{name}: {reason}" for name, reason in list(excluded.items())[:5]) or "no column",
            cure="Exclude fewer columns",
        )
    return tuple(used), excluded


def encode_points(frame: pl.DataFrame, problem: Problem, columns: tuple[Column, ...]) -> Points:
    """Learn the scales of the training rows and put them to use.

    Raises
    ------
    DataError
        If all rows are alike.
    """
    encoder = TableEncoder(columns, "distance", time=problem.data.time)
    matrix = encoder.fit(frame).transform(frame)
    if not (np.ptp(matrix, axis=0) > 0).any():
        raise DataError("all rows are alike", got=f"{frame.height:,} rows", cure="Bring columns in which they differ")
    return Points(encoder, columns, matrix)


def check_rows(frame: pl.DataFrame, columns: tuple[Column, ...]) -> tuple[Finding, ...]:
    """What is wrong with rows that are to be compared: constants, gaps, rows that are the same."""
    return (*_by_column(frame, columns), *_alike(frame, columns))


def _by_column(frame: pl.DataFrame, columns: tuple[Column, ...]) -> Iterator[Finding]:
    for column in columns:
        values = frame[column.name]
        missing = values.null_count() / len(values)
        if values.drop_nulls().n_unique() <= 1:
            yield Finding(
                "constant",
                Severity.INFO,
                column.name,
                f"`{column.name}` has the same value in every row.",
                "It tells no row from another.",
                "Exclude it.",
                {},
                "D6",
            )
        elif missing > _MOSTLY_MISSING:
            yield Finding(
                "mostly-missing",
                Severity.WARNING,
                column.name,
                f"`{column.name}` is missing in {missing:.0%} of the rows.",
                "Rows without a value look alike, which says more of how the data were collected than of them.",
                "Fill it at the source, or exclude it.",
                {"missing": missing},
                "D5",
            )


def _alike(frame: pl.DataFrame, columns: tuple[Column, ...]) -> Iterator[Finding]:
    rows = frame.select([column.name for column in columns])
    share = 1 - rows.n_unique() / rows.height
    if share > _MOSTLY_ALIKE:
        yield Finding(
            "rows-alike",
            Severity.WARNING,
            "rows",
            f"{share:.0%} of the rows repeat another one in every column that is used.",
            "Repeated rows are dense by themselves: they make clusters, and hide what is strange.",
            "Drop repeated rows at the source if they are copies.",
            {"share": share},
            "D6",
        )


def row_names(frame: pl.DataFrame, problem: Problem) -> list[str]:
    """The ids of rows, or their numbers from 1."""
    if problem.data.id is not None and problem.data.id in frame.columns:
        return frame[problem.data.id].cast(pl.String).fill_null("").to_list()
    return [str(row) for row in range(1, frame.height + 1)]
