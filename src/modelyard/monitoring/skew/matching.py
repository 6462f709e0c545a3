"""Which row of a table belongs to a logged request: by the entity's key, and the latest that was known when it came."""

import dataclasses

import polars as pl

from modelyard.core import ConfigError
from modelyard.data import category_text, located, read_declared, read_table
from modelyard.data.history import join_events
from modelyard.data.history.moments import plain_moments
from modelyard.monitoring.columns import PREFIX
from modelyard.monitoring.skew.records import TableMatch
from modelyard.problem import Problem, did_you_mean
from modelyard.problem.address import without_password
from modelyard.serving.prediction_log import LogPolicy, Privacy, log_key
from modelyard.store import Workspace

__all__ = ["Matched", "match_rows"]

_KEY, _AT, _PLACE = "__key", "__at", "__place"
_PREDICTION_ID = "id"


@dataclasses.dataclass(frozen=True)
class Matched:
    """Requests and their rows of the table, in the same order; both empty if there is nothing to compare."""

    match: TableMatch
    requests: pl.DataFrame
    rows: pl.DataFrame


def match_rows(
    logged: pl.DataFrame, problem: Problem, workspace: Workspace, data: str | None, key: str | None
) -> Matched:
    """Find each request's row in the project's source, or in another table.

    Parameters
    ----------
    logged
        Answers with their features.
    data
        The table, a path or an address; the project's source by default.
    key
        The column that names an entity in both; by default ``data.id`` or, with times, ``data.group``, else ``id`` in the
        table for ids of answers.

    Raises
    ------
    ConfigError
        If the table or the log has no such key, or several rows of the table have it and no time says which counts.
    DataError
        If the table cannot be read.
    """
    name = without_password(problem.data.source if data is None else data)
    if logged.is_empty():
        return _nothing(name, "the log has no answers")
    if key is None and data is None and _own_key(logged, problem) is None:
        return _nothing(name, _no_key(problem))
    table = read_declared(problem.data, workspace.root).frame if data is None else read_table(data)
    chosen = _chosen_key(logged, table, problem, key)
    if chosen is None:
        return _nothing(name, _no_key(problem))
    asked, held = _keys(logged, table, chosen, problem, workspace)
    moment = _moment(table, problem, is_answer=f"{PREFIX}{chosen}" not in logged.columns)
    places = _places(logged, table, asked, held, moment)
    found = places.is_not_null()
    requests, rows = logged.filter(found), table[places.filter(found).cast(pl.UInt32)]
    rows = _with_events(rows, requests, problem, workspace)
    return Matched(TableMatch(name, chosen, moment, requests.height, logged.height - requests.height), requests, rows)


def _nothing(table: str, why: str) -> Matched:
    return Matched(TableMatch(table, not_compared=why), pl.DataFrame(), pl.DataFrame())


def _no_key(problem: Problem) -> str:
    if problem.data.id is None:
        return "the project file names no data.id, and the table has no column id with ids of answers"
    return f"the log does not hold {problem.data.id}; set log.also: [{problem.data.id}], and send it with each request"


def _own_key(logged: pl.DataFrame, problem: Problem) -> str | None:
    """The project's name of an entity, if the log holds it."""
    data = problem.data
    names = (data.id, data.group if data.time or data.prediction_time else None)
    return next((name for name in names if name is not None and f"{PREFIX}{name}" in logged.columns), None)


def _chosen_key(logged: pl.DataFrame, table: pl.DataFrame, problem: Problem, key: str | None) -> str | None:
    """The column to join by; None if there is none."""
    if key is None:
        own = _own_key(logged, problem)
        if own is not None and own in table.columns:
            return own
        return _PREDICTION_ID if _PREDICTION_ID in table.columns else None
    if key not in table.columns:
        raise ConfigError(
            "the table has no such column", where="--key", got=repr(key), cure=did_you_mean(key, table.columns)
        )
    if f"{PREFIX}{key}" not in logged.columns and key != _PREDICTION_ID:
        raise ConfigError(
            "the log does not hold this column, so no request can be found by it",
            where="--key",
            got=repr(key),
            cure=f"Set log.also: [{key}] and send it with each request, or give a table with the ids of answers as id",
        )
    return key


def _keys(
    logged: pl.DataFrame, table: pl.DataFrame, key: str, problem: Problem, workspace: Workspace
) -> tuple[pl.Series, pl.Series]:
    """The key in the log and in the table, as the same text; where the log has codes, the table's are worked out."""
    column = f"{PREFIX}{key}"
    asked = category_text(logged[column] if column in logged.columns else logged[_PREDICTION_ID])
    if problem.log.personal.get(key) != "hash":
        return asked, category_text(table[key])
    privacy = Privacy(LogPolicy(personal={key: "hash"}, key=log_key(workspace)), [key])
    return asked, pl.Series([privacy.code(cell) for cell in table[key]], dtype=pl.String)


def _moment(table: pl.DataFrame, problem: Problem, *, is_answer: bool) -> str:
    """The column that says from when on a row holds; ``""`` if there is none, or the row is the answer's own."""
    names = (problem.data.time, problem.data.prediction_time)
    found = (name for name in names if name in table.columns and table.schema[name].is_temporal())
    return "" if is_answer else next(found, "") or ""


def _places(logged: pl.DataFrame, table: pl.DataFrame, asked: pl.Series, held: pl.Series, moment: str) -> pl.Series:
    """By request the place of its row in the table; null for none."""
    requests = pl.DataFrame({_KEY: asked}).with_columns(_request_moments(logged, moment).alias(_AT))
    rows = pl.DataFrame({_KEY: held}).with_row_index(_PLACE).drop_nulls(_KEY)
    rows = rows.filter(pl.col(_KEY).is_in(asked.drop_nulls().unique().implode()))
    if not moment:
        _refuse_several(rows, table)
        return requests.join(rows.unique(_KEY, keep="last"), on=_KEY, how="left", maintain_order="left")[_PLACE]
    rows = rows.with_columns(plain_moments(table[moment]).gather(rows[_PLACE]).alias(_AT)).drop_nulls(_AT)
    ordered = requests.with_row_index("__order").sort(_AT)
    found = ordered.join_asof(rows.sort(_AT, _PLACE), on=_AT, by=_KEY, strategy="backward", check_sortedness=False)
    return found.sort("__order")[_PLACE]


def _request_moments(logged: pl.DataFrame, moment: str) -> pl.Series:
    """When each request was asked: as it says itself, if it carried the column, else when it came."""
    came = plain_moments(logged["at"])
    own = f"{PREFIX}{moment}"
    if not moment or own not in logged.columns or not logged.schema[own].is_temporal():
        return came
    said = plain_moments(logged[own])
    return said.zip_with(said.is_not_null(), came)


def _refuse_several(rows: pl.DataFrame, table: pl.DataFrame) -> None:
    """Let keys pass that name one row each; rows that are the same in every cell count as one."""
    twice = rows.filter(pl.col(_KEY).is_duplicated())
    if twice.is_empty():
        return
    cells = table[twice[_PLACE]].with_columns(twice[_KEY])
    if cells.unique().height > cells[_KEY].n_unique():
        raise ConfigError(
            "several rows of the table have the same key, and no time says which of them counts",
            where="the table",
            got=f"{twice[_KEY].n_unique():,} keys, such as {twice[_KEY][0]!r}",
            cure="Declare data.time, or give a table with one row for each key",
        )


def _with_events(rows: pl.DataFrame, requests: pl.DataFrame, problem: Problem, workspace: Workspace) -> pl.DataFrame:
    """The rows with the features of event tables as of each request, where the table does not have them itself."""
    moment = problem.data.prediction_time or problem.data.time or ""
    plans = {
        name: plan
        for name, plan in problem.data.events.items()
        if not any(column.startswith(f"{name}.") for column in rows.columns)
    }
    if not plans or rows.is_empty() or moment not in rows.columns:
        return rows
    asked = rows.with_columns(_request_moments(requests, moment).alias(moment))
    for name, plan in plans.items():
        asked = join_events(asked, read_table(located(plan.source, workspace.root)), plan, name=name, moment=moment)
    return asked
