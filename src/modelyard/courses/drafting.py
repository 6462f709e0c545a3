"""What ``modelyard new`` writes for a task that has a course."""

from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import DataError
from modelyard.data import Table, suggest
from modelyard.data.drafting.draft import as_name, as_written
from modelyard.forecasting.series.frequency import infer_frequency, usual_seasons
from modelyard.problem import Task, did_you_mean, write_course_draft

__all__ = ["draft_course"]

_FAR = 12
_NOTHING = "(no target)"
_FEW_KEYS = ("id", "time", "group", "exclude")


def draft_course(
    folder: Path, source: Path | str, table: Table, task: Task, target: str, *, query: str | None = None
) -> str:
    """The project file's text: columns by what their names and values suggest, the horizon by the season.

    Parameters
    ----------
    folder
        The project's.
    source, table, query
        Where the rows come from, and the rows.
    task, target
        As asked for; the target may be empty where the task needs none.

    Raises
    ------
    DataError
        If the target is absent, or a forecast has no time column.
    """
    if target and target not in table.columns:
        raise DataError(
            "the target column is not in the table",
            where="target",
            got=repr(target),
            cure=did_you_mean(target, table.columns),
        )
    # What is suggested depends on which column is no feature; without a target none is, so one is put beside them.
    found = suggest(table if target else table.with_columns(pl.lit(0).alias(_NOTHING)), target or _NOTHING)
    data: dict[str, Any] = {"source": as_written(str(source), folder)}
    data |= {"query": query} if query else {}
    data |= {"target": target} if target else {}
    suggested = {key: getattr(found, key) for key in _FEW_KEYS}
    data |= {key: dict(value) if key == "exclude" else value for key, value in suggested.items() if value}
    plan = _forecast_plan(table, data) if task is Task.FORECASTING else {}
    return write_course_draft(as_name(folder.resolve().name), task, data, plan)


def _forecast_plan(table: Table, data: dict[str, Any]) -> dict[str, Any]:
    if "time" not in data:
        raise DataError(
            "no column holds dates that order the rows",
            where="data.time",
            cure="Write a column's values as ISO 8601 (2024-02-29T13:00), so that a forecast can go on in time",
        )
    data.pop("exclude", None)
    frequency = infer_frequency(table[data["time"]]) or "1d"
    seasons = usual_seasons(frequency)
    return {"horizon": seasons[0] if seasons else _FAR, "frequency": frequency}
