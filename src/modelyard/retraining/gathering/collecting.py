"""The new labelled rows that a project has by itself: of its source as it is now, and of its prediction log."""

import polars as pl

from modelyard.core import ConfigError
from modelyard.data import enter_source, load_version
from modelyard.problem import Problem
from modelyard.retraining.champion import Champion
from modelyard.retraining.gathering.gathered import Gathered
from modelyard.retraining.gathering.given import from_table
from modelyard.retraining.gathering.logged import Logged, labelled_predictions
from modelyard.store import Workspace

__all__ = ["collected"]


def collected(problem: Problem, champion: Champion, workspace: Workspace) -> Gathered:
    """The source's labelled rows that are not known, and labelled predictions in the order in which they were made.

    A labelled prediction that equals a known row, or a new one of the source, in all columns of the model and in the label is
    taken for that row.

    Raises
    ------
    DataError
        If the source cannot be read, or lacks columns of the training data.
    ConfigError
        If the source has nothing new, and the log hides columns that training needs.
    """
    table = load_version(enter_source(problem, workspace).id, workspace).frame
    source = from_table(table, problem, champion, workspace)
    logged = labelled_predictions(problem, champion, source.fresh, workspace)
    if logged is None:
        return source
    if logged.hidden:
        return _without_the_log(source, logged)
    fresh = pl.concat([source.fresh, logged.rows], how="diagonal_relaxed").select(source.fresh.columns)
    return Gathered(
        labelled=source.labelled + logged.asked,
        fresh=fresh,
        note=_said(source, logged),
        suspects=logged.suspects,
    )


def _without_the_log(source: Gathered, logged: Logged) -> Gathered:
    """The source's rows alone, which must be some."""
    names = ", ".join(map(repr, logged.hidden[:5]))
    if source.fresh.is_empty():
        raise ConfigError(
            "the prediction log does not hold what training needs, and the source has no new rows",
            where="log",
            got=f"{logged.asked:,} labelled predictions without {names}",
            cure="Give a table: modelyard retrain --data TABLE",
        )
    said = f"{logged.asked:,} labelled predictions are not among them, since the log does not hold {names}."
    return Gathered(source.labelled, source.fresh, said)


def _said(source: Gathered, logged: Logged) -> str:
    """Where the new rows come from, and what was left out."""
    parts = f"{source.fresh.height:,} come from the source and {logged.rows.height:,} from the prediction log."
    left = logged.suspects.reasons
    return f"{parts} Left out: {left}." if left else parts
