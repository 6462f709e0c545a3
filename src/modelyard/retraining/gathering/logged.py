"""Predictions that have a label by now, as rows of the training table."""

import dataclasses

import polars as pl

from modelyard.data import category_text
from modelyard.data.splits.extension import overlap_with
from modelyard.problem import Problem, Task
from modelyard.retraining.champion import Champion
from modelyard.retraining.gathering.contamination import Suspects
from modelyard.serving import read_feedback, read_predictions
from modelyard.store import Workspace

__all__ = ["Logged", "labelled_predictions"]

_FEATURE = "feature."


@dataclasses.dataclass(frozen=True)
class Logged:
    """Labelled predictions.

    Parameters
    ----------
    asked
        How many there are.
    rows
        Those to learn from, with the columns that the log holds, and the target.
    suspects
        Those that were left out.
    hidden
        Columns that training needs, and the log does not hold; nothing is learnt from the log then.
    """

    asked: int
    rows: pl.DataFrame
    suspects: Suspects
    hidden: tuple[str, ...] = ()


def labelled_predictions(
    problem: Problem, champion: Champion, new: pl.DataFrame, workspace: Workspace
) -> Logged | None:
    """What the log holds to learn from; None if no prediction has a label.

    Parameters
    ----------
    new
        New rows of the source: a prediction that equals one of them is that row.
    """
    folder = workspace.folder("predictions")
    answers = read_predictions(folder).unique("id", keep="last")
    labels = read_feedback(folder, every=True).drop_nulls(["id", "label"])
    joined = answers.join(_per_id(labels), on="id", how="inner").sort("at", "id")
    if joined.is_empty():
        return None
    hidden = _hidden(problem, champion, joined)
    if hidden:
        return Logged(joined.height, pl.DataFrame(), Suspects(joined.height), hidden)
    return _sifted(joined, problem, champion, new, workspace)


def _per_id(labels: pl.DataFrame) -> pl.DataFrame:
    """One row an id: the last label, when the first came, and whether there were others."""
    return (
        labels.sort("at", maintain_order=True)
        .group_by("id")
        .agg(
            truth=pl.col("label").last(),
            told_at=pl.col("at").min(),
            known_at=pl.col("at").max(),
            labels=pl.col("label").n_unique(),
        )
    )


def _hidden(problem: Problem, champion: Champion, joined: pl.DataFrame) -> tuple[str, ...]:
    """Columns without which a prediction is no row of the training table."""
    data, strategy = problem.data, champion.base.record.strategy
    needed = [
        *(column.name for column in champion.scorer.contract.columns),
        *problem.segments,
        *problem.protected,
        *([data.group] if data.group and strategy == "group" else []),
        *([problem.split.column] if problem.split.column and strategy == "column" else []),
        *([data.weight] if data.weight else []),
        *([problem.existing_system.column] if problem.existing_system.column else []),
    ]
    held = {name.removeprefix(_FEATURE) for name in joined.columns if name.startswith(_FEATURE)}
    held -= set(problem.log.personal)
    held |= {data.target, *_moments(problem, champion)}
    return tuple(name for name in dict.fromkeys(needed) if name not in held)


def _moments(problem: Problem, champion: Champion) -> dict[str, str]:
    """Columns that are moments of the log: when the prediction was asked for, and when its label came."""
    data, dtypes = problem.data, champion.base.train.frame.schema
    declared = {data.time: "at", data.prediction_time: "at", data.label_time: "known_at"}
    return {name: at for name, at in declared.items() if name and name in dtypes and dtypes[name].is_temporal()}


def _sifted(
    joined: pl.DataFrame, problem: Problem, champion: Champion, new: pl.DataFrame, workspace: Workspace
) -> Logged:
    """Rows to learn from: each suspect is counted under the first reason; what is known already is left out as such."""
    target, names = problem.data.target, [column.name for column in champion.scorer.contract.columns]
    table = _as_rows(joined, problem, champion)
    overlap = overlap_with(table, champion.base, workspace, names, target)
    early = joined["told_at"] < joined["at"]
    contradictory = ~early & (joined["labels"] > 1)
    foreign = ~early & ~contradictory & _is_foreign(table, problem, champion)
    sealed = ~early & ~contradictory & ~foreign & overlap.sealed
    suspects = Suspects(
        asked=joined.height,
        early=int(early.sum()),
        contradictory=int(contradictory.sum()),
        sealed=int(sealed.sum()),
        sealed_by_chance=overlap.by_chance * joined.height,
        foreign=int(foreign.sum()),
    )
    sound = ~(early | contradictory | foreign | sealed | overlap.known)
    rows = table.filter(sound)
    if new.height:
        own = [name for name in (*names, target) if name in new.columns]
        like = overlap_with(rows, champion.base, workspace, names, target, beside=new.select(own))
        rows = rows.filter(~like.known)
    return Logged(joined.height, _with_types_of(rows, new), suspects)


def _as_rows(joined: pl.DataFrame, problem: Problem, champion: Champion) -> pl.DataFrame:
    """The log's columns under the names of the training table."""
    features = {name.removeprefix(_FEATURE): joined[name] for name in joined.columns if name.startswith(_FEATURE)}
    columns = {name: values for name, values in features.items() if name not in problem.log.personal}
    moments = {name: joined[at].dt.replace_time_zone(None) for name, at in _moments(problem, champion).items()}
    target = _truth(joined["truth"], problem)
    return pl.DataFrame({**moments, **columns, problem.data.target: target})


def _truth(labels: pl.Series, problem: Problem) -> pl.Series:
    """Labels as the target has them: numbers, or text."""
    return labels.cast(pl.Float64, strict=False) if problem.task is Task.REGRESSION else category_text(labels)


def _is_foreign(table: pl.DataFrame, problem: Problem, champion: Champion) -> pl.Series:
    """Which labels the target does not have."""
    target = table[problem.data.target]
    if problem.task is Task.REGRESSION:
        return (target.is_null() | ~target.is_finite()).fill_null(value=True)
    return ~target.is_in(list(champion.scorer.classes))


def _with_types_of(rows: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Numbers stay numbers; what is text in the source becomes text, so that both fit under each other."""
    casts = [
        pl.col(name).cast(dtype, strict=False)
        for name, dtype in new.schema.items()
        if name in rows.columns and not (dtype.is_numeric() and rows.schema[name].is_numeric())
    ]
    return rows.with_columns(casts)
