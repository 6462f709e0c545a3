"""Series side by side on one grid of time: what was observed, and what stands in the gaps."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError
from modelyard.forecasting.series.frequency import grid, infer_frequency, on_grid, times, usual_seasons
from modelyard.problem import Problem, did_you_mean

__all__ = ["Array", "Panel", "build_panel", "columns_of"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ONE_SERIES = "all"
"""The name of the one series of a table that names none."""

_MOST_GAPS = 0.3
_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Panel:
    """Series of equal step, one a row.

    Parameters
    ----------
    names
        Of the series; several naming columns are joined by `` / ``.
    moments
        The start of each step, for all series.
    values
        Shape (series, steps); NaN before a series begins and after it has ended. Gaps are filled from their past
        only, so that nothing later is told at any step.
    observed
        Where a value was in the table; only these are scored.
    frequency, seasons
        The step, and the lengths of the seasons in steps.
    fill
        What stands in the gaps, see :class:`modelyard.problem.ForecastPlan`.
    """

    names: tuple[str, ...]
    moments: pl.Series
    values: Array
    observed: Mask
    frequency: str
    seasons: tuple[int, ...]
    fill: str = "season"

    @property
    def steps(self) -> int:
        """Number of steps of the grid."""
        return len(self.moments)

    @property
    def season(self) -> int:
        """The first season that scaled metrics compare with; 1 where there is none."""
        return self.seasons[0] if self.seasons else 1

    def until(self, end: int) -> "Panel":
        """The first ``end`` steps."""
        return dataclasses.replace(
            self, moments=self.moments[:end], values=self.values[:, :end], observed=self.observed[:, :end]
        )

    def only(self, rows: Sequence[int]) -> "Panel":
        """Some of the series."""
        chosen = list(rows)
        names = tuple(self.names[row] for row in chosen)
        return dataclasses.replace(self, names=names, values=self.values[chosen], observed=self.observed[chosen])

    def history(self, row: int) -> Array:
        """The values of one series from its beginning to the last step."""
        values = self.values[row]
        known: Array = values[~np.isnan(values)]
        return known

    def is_alive(self) -> Mask:
        """Which series have not ended before the last step."""
        return ~np.isnan(self.values[:, -1])

    def ahead(self, horizon: int) -> pl.Series:
        """The starts of the next steps."""
        later = self.moments.tail(1).dt.offset_by(self.frequency)
        return grid(later[0], later.dt.offset_by(times(self.frequency, horizon))[0], self.frequency).head(horizon)


def columns_of(problem: Problem) -> tuple[str, ...]:
    """The columns that name a series."""
    if problem.forecast.series is not None:
        return problem.forecast.series
    return (problem.data.group,) if problem.data.group is not None else ()


def build_panel(frame: pl.DataFrame, problem: Problem, *, frequency: str | None = None, to_end: bool = False) -> Panel:
    """Put the rows of a table on a grid of time.

    Parameters
    ----------
    frequency
        The step, if it is known already; else the plan's, or the commonest distance.
    to_end
        Fill every series up to the last step, also one that has ended.

    Raises
    ------
    DataError
        If a column is absent, the time is no date, a value is infinite, a moment comes twice in a series, or the
        step does not fit the moments.
    """
    rows = _plain(frame, problem)
    step = frequency or _step(rows["moment"], problem)
    rows = rows.with_columns(on_grid(rows["moment"], step))
    _refuse_twice(rows, problem, step)
    moments = grid(rows["moment"].min(), rows["moment"].max(), step)
    wide = (
        pl.DataFrame({"moment": moments})
        .join(rows.pivot(on="series", index="moment", values="value"), on="moment", how="left", maintain_order="left")
        .drop("moment")
    )
    names = tuple(sorted(wide.columns))
    raw = wide.select(names).to_numpy().T.astype(np.float64)
    observed = ~np.isnan(raw)
    _refuse_wrong_step(observed, problem, step)
    seasons = problem.forecast.seasons if problem.forecast.seasons is not None else usual_seasons(step)
    silent = len(moments) if to_end else problem.forecast.horizon
    values = _filled(raw, observed, seasons[0] if seasons else 1, problem.forecast.fill, silent)
    return Panel(names, moments, values, observed, step, tuple(seasons), problem.forecast.fill)


def _plain(frame: pl.DataFrame, problem: Problem) -> pl.DataFrame:
    """Columns ``series``, ``moment`` and ``value`` of the rows that have a value."""
    data, named = problem.data, columns_of(problem)
    for key, name in (("data.target", data.target), ("data.time", data.time), *(("forecast.series", n) for n in named)):
        if name not in frame.columns:
            cure = did_you_mean(str(name), frame.columns)
            raise DataError("the table has no such column", where=key, got=repr(name), cure=cure)
    time = frame[str(data.time)]
    if not time.dtype.is_temporal() or time.null_count():
        raise DataError(
            "a forecast needs a date in every row",
            where=f"column {time.name!r}",
            got=f"{time.null_count():,} rows without one" if time.dtype.is_temporal() else str(time.dtype),
            cure="Write its values as ISO 8601: 2024-02-29 or 2024-02-29T13:00, and fill the missing ones",
        )
    value = frame[data.target].cast(pl.Float64, strict=False).fill_nan(None)
    if infinite := int(value.is_infinite().sum()):
        raise DataError(
            f"the target is infinite in {infinite:,} of {len(value):,} rows",
            where=f"target {data.target!r}",
            cure="Mend the division or overflow that made it at the source, or leave those rows out",
        )
    if value.null_count() == len(value):
        raise DataError("the target has no number in any row", where=f"target {data.target!r}", cure="Choose another")
    texts = [frame[name].cast(pl.String).fill_null("(none)") for name in named]
    names = pl.select(pl.concat_str(texts, separator=" / ")).to_series() if texts else pl.Series([ONE_SERIES])
    names = names if texts else names.new_from_index(0, frame.height)
    moment = time.dt.replace_time_zone(None) if getattr(time.dtype, "time_zone", None) else time
    plain = pl.DataFrame({"series": names, "moment": moment.cast(pl.Datetime("us")), "value": value})
    return plain.drop_nulls("value")


def _step(moments: pl.Series, problem: Problem) -> str:
    if problem.forecast.frequency != "auto":
        return problem.forecast.frequency
    found = infer_frequency(moments)
    if found is None:
        raise DataError(
            "the moments follow one another at no usual distance",
            where=f"column {problem.data.time!r}",
            cure="Set forecast.frequency to the length of a step: 15m, 1h, 1d, 1w, 1mo",
        )
    return found


def _refuse_twice(rows: pl.DataFrame, problem: Problem, step: str) -> None:
    counts = rows.group_by("series", "moment").len().filter(pl.col("len") > 1).sort("moment", "series")
    if counts.is_empty():
        return
    first = counts.row(0)
    where = "" if first[0] == ONE_SERIES else f" of series {first[0]!r}"
    raise DataError(
        f"{counts.height:,} steps of {step} hold more than one row{where}",
        where=f"column {problem.data.time!r}",
        got=f"{first[2]} rows at {first[1]}",
        cure="Name the series in forecast.series, set forecast.frequency to the true step, or aggregate the rows at the source",
    )


def _refuse_wrong_step(observed: Mask, problem: Problem, step: str) -> None:
    """Refuse a step that leaves most of the grid without a value."""
    inside = _between_first_and_last(observed)
    missing = 1 - observed.sum() / inside.sum()
    if missing > _MOST_GAPS:
        raise DataError(
            f"{missing:.0%} of the steps of {step} have no value",
            where="forecast.frequency",
            got=f"{int(observed.sum()):,} values for {int(inside.sum()):,} steps",
            cure=f"Set forecast.frequency to the true step of column {problem.data.time!r}, or bring the missing rows",
        )


def _between_first_and_last(observed: Mask) -> Mask:
    begun = np.logical_or.accumulate(observed, axis=1)
    goes_on = np.logical_or.accumulate(observed[:, ::-1], axis=1)[:, ::-1]
    return begun & goes_on


def _filled(raw: Array, observed: Mask, season: int, fill: str, silent: int) -> Array:
    """Gaps filled from the past; a series that is silent for fewer than ``silent`` steps at the end has not ended yet."""
    values = raw.copy()
    last = raw.shape[1] - 1 - np.argmax(observed[:, ::-1], axis=1)
    end = np.where(raw.shape[1] - 1 - last < silent, raw.shape[1], last + 1)
    first = np.argmax(observed, axis=1)
    for row in range(len(values)):
        for step in np.flatnonzero(~observed[row, first[row] : end[row]]) + first[row]:
            before = step - season if fill == "season" and step - season >= first[row] else step - 1
            values[row, step] = 0.0 if fill == "zero" else values[row, before]
    return values
