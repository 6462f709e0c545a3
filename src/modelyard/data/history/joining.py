"""What the project file declares of the past, joined to rows: event tables, and the rows' own series."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from modelyard.core import ConfigError
from modelyard.data.history.events import join_events
from modelyard.data.history.series import join_series, past_of
from modelyard.data.read import located, read_declared, read_source, read_table
from modelyard.problem import EventTable, Problem, SeriesPlan

__all__ = ["HistoryJoin", "history_joiner", "with_history"]

_Join = Callable[[pl.DataFrame], pl.DataFrame]


class HistoryJoin:
    """Adds what is known of the past to rows.

    Parameters
    ----------
    joins
        One after the other.
    tables
        What they look into; ``digest`` is the same for the same tables, and ``""`` if there are none.
    """

    def __init__(self, joins: Iterable[_Join], tables: Iterable[pl.DataFrame]) -> None:
        self._joins = tuple(joins)
        self.digest = _digest(tuple(tables))

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with more columns."""
        for join in self._joins:
            rows = join(rows)
        return rows


def _digest(tables: tuple[pl.DataFrame, ...]) -> str:
    state = hashlib.sha256()
    for table in tables:
        state.update(str(table.schema).encode())
        state.update(table.hash_rows(seed=0).to_numpy().tobytes())
    return state.hexdigest() if tables else ""


def with_history(rows: pl.DataFrame, problem: Problem, root: Path, *, is_source: bool = False) -> pl.DataFrame:
    """The rows with all features of the past that the project file declares; see :func:`history_joiner`.

    Parameters
    ----------
    is_source
        True if the rows are the source itself, which need not be read again then.
    """
    return history_joiner(problem, root, rows, is_source=is_source)(rows)


def history_joiner(
    problem: Problem,
    root: Path,
    batch: Path | str | pl.DataFrame | None = None,
    *,
    query: str | None = None,
    is_source: bool = False,
) -> HistoryJoin:
    """What adds all features of the past that the project file declares; the tables are read once, now.

    The past of a series is looked up in the table ``data.series.history``, or in the source if none is declared, and
    in the batch itself.

    Parameters
    ----------
    root
        The project's folder, from which the tables' paths count.
    batch
        All rows that will be joined, piece by piece or at once: what one row of them brings is known to later ones.
    query
        What is asked of the batch, if it is a database.
    is_source
        True if the batch is the source itself, which need not be read again then.

    Raises
    ------
    ConfigError
        If neither a prediction time nor a time is declared, or a series has no order of time.
    DataError
        If a table cannot be read; the function that is returned raises it if one cannot be joined.
    """
    joins, tables = _events(problem, root)
    if problem.data.series is not None:
        rows = read_source(batch, query=query).frame if isinstance(batch, Path | str) else batch
        join, past = _series(problem.data.series, problem, root, rows, is_source=is_source)
        joins.append(join)
        tables.append(past)
    return HistoryJoin(joins, tables)


def _events(problem: Problem, root: Path) -> tuple[list[_Join], list[pl.DataFrame]]:
    moment = problem.data.prediction_time or problem.data.time
    if problem.data.events and moment is None:
        raise ConfigError(
            "event tables need to know when each prediction is asked for",
            where="data.events",
            got=repr(next(iter(problem.data.events))),
            cure="Set data.prediction_time (or data.time) to the column that says it",
        )
    tables = {name: read_table(located(plan.source, root)) for name, plan in problem.data.events.items()}
    joins = [_event_join(name, plan, tables[name], moment or "") for name, plan in problem.data.events.items()]
    return joins, list(tables.values())


def _event_join(name: str, plan: EventTable, events: pl.DataFrame, moment: str) -> _Join:
    return lambda rows: join_events(rows, events, plan, name=name, moment=moment)


def _series(
    plan: SeriesPlan, problem: Problem, root: Path, batch: pl.DataFrame | None, *, is_source: bool
) -> tuple[_Join, pl.DataFrame]:
    data = problem.data
    time = data.time
    if time is None or problem.split.strategy not in ("auto", "time") or problem.split.column is not None:
        raise ConfigError(
            "lags and windows need parts that follow one another in time, or the training part would know the test part",
            where="data.series",
            got=f"data.time {time!r}, split.strategy {problem.split.strategy!r}",
            cure="Set data.time, and leave split.strategy at auto or time",
        )
    if plan.by is None and data.group is not None:
        plan = plan.model_copy(update={"by": (data.group,)})
    tables = []
    if plan.history is not None:
        tables.append(read_table(located(plan.history, root)))
    elif not is_source:
        tables.append(read_declared(data, root).frame)
    if batch is not None:
        tables.append(batch)
    past = past_of(tables, plan, time=time)
    return lambda rows: join_series(rows, past, plan, time=time, target=data.target), past
