"""A split enlarged by new rows: what was sealed stays sealed, what was learnt from stays training."""

import dataclasses
import io
from collections.abc import Sequence

import numpy as np
import polars as pl
import polars.selectors as cs

from modelyard.core import Actor, DataError, digest_json
from modelyard.data.resolving import resolve
from modelyard.data.schema import conform
from modelyard.data.splits.split import make_split
from modelyard.data.splits.stored import Split, load_split, store_parts
from modelyard.data.splits.strategies import Shares
from modelyard.data.version import Dataset, load_version, store_version, version_record
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["Overlap", "extend_split", "fresh_shares", "overlap_with", "unknown_rows"]

_EXTENDED = "split.extended"
_ID_LENGTH = 12
_JUDGE = 0.35
_SEALED = 0.15
"""A paired comparison needs rows: more of the new ones are held out than the plan says, and learnt from afterwards."""

_LEAST_JUDGE, _ROWS_JUDGE = 0.15, 3_000
_LEAST_SEALED, _ROWS_SEALED = 0.05, 1_500
"""In the order of time the latest rows matter most: of many rows smaller shares are held out, but so many rows at least."""


@dataclasses.dataclass(frozen=True)
class Overlap:
    """Which rows of a table are rows of a split's data, as far as their content tells.

    Parameters
    ----------
    known
        Equal to a known row, sealed ones included, in the columns and in the target.
    sealed
        Equal to a sealed row in the columns, whatever the target.
    by_chance
        Share of the split's own training and validation rows that equal a sealed row in the columns.
    """

    known: pl.Series
    sealed: pl.Series
    by_chance: float


def overlap_with(
    frame: pl.DataFrame,
    base: Split,
    workspace: Workspace,
    columns: Sequence[str],
    target: str,
    *,
    beside: pl.DataFrame | None = None,
) -> Overlap:
    """Compare rows that have some columns of the base only, such as those of a log; no row of the sealed part leaves this function.

    Parameters
    ----------
    columns, target
        Those to compare; all of them are in ``frame``.
    beside
        Further known rows.
    """
    names = [*columns, target]
    *known, sealed = _known_tables(base, workspace)
    if beside is not None:
        known.append(_typed(beside, base))
    mine = _typed(frame, base)
    development = base.development.frame.select(columns)
    return Overlap(
        known=~_is_unknown(mine.select(names), tuple(table.select(names) for table in (*known, sealed))),
        sealed=~_is_unknown(mine.select(columns), (sealed.select(columns),)),
        by_chance=int((~_is_unknown(development, (sealed.select(columns),))).sum()) / max(development.height, 1),
    )


def unknown_rows(frame: pl.DataFrame, base: Split, workspace: Workspace) -> pl.DataFrame:
    """The rows of ``frame`` that are not in the data set of ``base``, its sealed part included.

    Rows are compared in all columns of the base, after conversion to its types; only the answer known or new leaves
    this function, never a row of the sealed part.

    Raises
    ------
    DataError
        If ``frame`` lacks columns of the base.
    """
    _require_columns(base, frame)
    return frame.filter(_is_unknown(_typed(frame, base), _known_tables(base, workspace)))


def fresh_shares(rows: int, *, in_order: bool) -> Shares:
    """How new rows are divided: half of them train; of many that are divided by time, up to four fifths.

    >>> fresh_shares(4_000, in_order=True)
    Shares(train=0.5, validation=0.35, test=0.15)
    >>> fresh_shares(100_000, in_order=True)
    Shares(train=0.8, validation=0.15, test=0.05)
    """
    judge, sealed = _JUDGE, _SEALED
    if in_order:
        judge = min(judge, max(_LEAST_JUDGE, _ROWS_JUDGE / rows))
        sealed = min(sealed, max(_LEAST_SEALED, _ROWS_SEALED / rows))
    return Shares(round(1.0 - judge - sealed, 6), round(judge, 6), round(sealed, 6))


def extend_split(base: Split, frame: pl.DataFrame, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """A split for a challenger: the base's training and validation rows and a part of the new rows to learn from.

    Validation and sealed test come from the new rows alone, so they are fresh for the champion and for the
    challenger. Rows of a group that the base has learnt from, and rows not later than its last one, are for training
    only, as the plan's strategy demands. The base's sealed part is not touched.

    Raises
    ------
    DataError
        If the new rows lack columns, or none of them may be held out.
    """
    _require_columns(base, frame)
    typed = _typed(frame, base)
    held = _may_be_held_out(base, typed, problem)
    if not held.any():
        raise DataError(
            "no new row may be held out, since all belong to known groups or to the time already learnt from",
            where="the new table",
            got=f"{frame.height:,} rows",
            cure="Bring rows of new groups, or later rows",
        )
    fresh = _split_fresh(base, typed.filter(held), problem, workspace, actor)
    learnt = pl.concat([base.development.frame, typed.filter(~held), fresh.train.frame], how="vertical_relaxed")
    dataset_id = _enlarged_version(base, typed, workspace)
    id_ = digest_json({"base": base.record.id, "fresh": fresh.record.id, "dataset": dataset_id})[:_ID_LENGTH]
    record = dataclasses.replace(
        fresh.record,
        id=id_,
        dataset_id=dataset_id,
        reason=f"Rows of split {base.record.id} and new rows to learn from; validation and test are new rows. "
        f"{fresh.record.reason}",
        train_rows=learnt.height,
    )
    store_parts(record, learnt, fresh.validation.frame, base.train.schema, workspace)
    if workspace.ledger.count(_EXTENDED, id_) == 0:
        rows = {"train": record.train_rows, "validation": record.validation_rows, "test": record.test_rows}
        workspace.ledger.append(actor, _EXTENDED, id_, {"base": base.record.id, "dataset": dataset_id, "rows": rows})
    return load_split(id_, workspace)


def _typed(frame: pl.DataFrame, base: Split) -> pl.DataFrame:
    """The base's columns of ``frame``, with the base's types."""
    return conform(frame.select(name for name in base.train.frame.columns if name in frame.columns), base.train.schema)


def _known_tables(base: Split, workspace: Workspace) -> tuple[pl.DataFrame, ...]:
    """What the base was divided from, before corrections too, and its sealed part, which may be one's own table."""
    sealed = pl.read_parquet(io.BytesIO(workspace.objects.read(base.record.test_digest)))
    ids = [base.record.dataset_id]
    while parent := version_record(ids[-1], workspace).parent:  # a row that was corrected is no new row
        ids.append(parent)
    return tuple(_typed(table, base) for table in (*(load_version(id_, workspace).frame for id_ in ids), sealed))


def _is_unknown(typed: pl.DataFrame, known: tuple[pl.DataFrame, ...]) -> pl.Series:
    """Which rows are in none of the tables, by the columns that both have with one type; 1 and 1.0 are equal."""
    unknown = pl.Series(np.ones(typed.height, dtype=bool))
    typed, *known_numbers = (table.with_columns(cs.numeric().cast(pl.Float64)) for table in (typed, *known))
    for table in known_numbers:
        names = [name for name in table.columns if typed[name].dtype == table[name].dtype]
        unknown &= ~typed.select(names).hash_rows(0).is_in(table.select(names).hash_rows(0).implode())
    return unknown


def _enlarged_version(base: Split, typed: pl.DataFrame, workspace: Workspace) -> str:
    """All rows that are known from now on, as a version: the next extension must not take a sealed row for new."""
    whole, *_, sealed = _known_tables(base, workspace)
    parent = version_record(base.record.dataset_id, workspace).parent
    rows = [whole, sealed.filter(_is_unknown(sealed, (whole,))), typed]
    frame = pl.concat(rows, how="diagonal_relaxed").select(typed.columns)
    source = f"data set {base.record.dataset_id} and new rows"
    return store_version(frame, source, workspace, parent=parent).id


def _require_columns(base: Split, frame: pl.DataFrame) -> None:
    missing = [name for name in base.train.frame.columns if name not in frame.columns]
    if missing:
        raise DataError(
            "the new table lacks columns of the training data",
            where="the new table",
            got=", ".join(map(repr, missing[:5])),
            cure="Export it with the same columns",
        )


def _may_be_held_out(base: Split, frame: pl.DataFrame, problem: Problem) -> pl.Series:
    """Which new rows may serve for validation and test under the base's strategy."""
    learnt = base.development.frame
    if base.record.strategy == "group" and problem.data.group is not None:
        known = learnt[problem.data.group].unique().implode()
        return (~frame[problem.data.group].is_in(known)).fill_null(value=False)
    if base.record.strategy == "time" and problem.data.time is not None:
        time = problem.data.time
        return frame.select(pl.col(time) > learnt[time].max()).to_series().fill_null(value=False)
    return pl.Series(np.ones(frame.height, dtype=bool))


def _split_fresh(base: Split, frame: pl.DataFrame, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """The new rows divided by the base's plan, with the base's kinds of columns."""
    kinds = {column.name: column.kind.value for column in base.train.schema.columns}
    source = problem.data.model_copy(update={"types": kinds, "test_source": None})
    strategy = base.record.strategy
    shares = fresh_shares(frame.height, in_order=strategy == "time")
    changes = {} if strategy == "column" else dataclasses.asdict(shares)
    plan = problem.split.model_copy(update={"strategy": strategy, **changes})
    fresh_problem = resolve(problem.model_copy(update={"data": source, "split": plan}), frame)
    version = store_version(frame, f"new rows for split {base.record.id}", workspace)
    return make_split(Dataset(version.id, frame, base.train.schema), fresh_problem, workspace, actor)
