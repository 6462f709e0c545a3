"""The last horizons are sealed before anything looks at a value."""

import polars as pl

from modelyard.core import Actor, DataError
from modelyard.data import Split, seal_rows
from modelyard.data.version import StoredDataset
from modelyard.forecasting.series.frequency import infer_frequency, on_grid, times
from modelyard.forecasting.series.panel import columns_of
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = ["divide_in_time"]


def divide_in_time(dataset: StoredDataset, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """Seal the rows of the last ``forecast.test_windows`` horizons of the whole table; only their moments are looked at.

    Raises
    ------
    DataError
        If a column is absent, the time is no date, the step cannot be told, or nothing would be left to learn from.
    """
    plan, data = problem.forecast, problem.data
    for name in (str(data.time), data.target, *columns_of(problem)):
        if name not in dataset.table.columns:
            cure = did_you_mean(name, dataset.table.columns)
            raise DataError("the table has no such column", where="data", got=repr(name), cure=cure)
    moments = dataset.table[str(data.time)]
    if not moments.dtype.is_temporal() or moments.null_count():
        missing = f"{moments.null_count():,} rows without one"
        raise DataError(
            "a forecast needs a date in every row",
            where=f"column {moments.name!r}",
            got=missing if moments.dtype.is_temporal() else f"{moments.dtype} such as {moments[0]!r}",
            cure="Write its values as ISO 8601: 2024-02-29 or 2024-02-29T13:00, and fill the missing ones",
        )
    if getattr(moments.dtype, "time_zone", None):
        moments = moments.dt.replace_time_zone(None)
    frequency = plan.frequency if plan.frequency != "auto" else infer_frequency(moments)
    if frequency is None:
        raise DataError(
            "the moments follow one another at no usual distance",
            where=f"column {data.time!r}",
            cure="Set forecast.frequency to the length of a step: 15m, 1h, 1d, 1w, 1mo",
        )
    steps = plan.horizon * plan.test_windows
    stamps = on_grid(moments, frequency)
    last = pl.Series([stamps.max()]).dt.offset_by(times(frequency, -steps))[0]
    sealed = stamps > last
    if sealed.all() or not sealed.any():
        raise DataError(
            "the table is no longer than what is to be sealed",
            where="forecast.test_windows",
            got=f"{stamps.n_unique():,} moments, {steps:,} steps to seal",
            cure="Bring more history, or set a smaller forecast.horizon or forecast.test_windows",
        )
    reason = f"The last {plan.test_windows} horizons of {plan.horizon} steps of {frequency} are sealed; what came before is learnt from."
    kinds = {**data.types, data.target: "numeric", str(data.time): "date"}
    typed = problem.model_copy(update={"data": data.model_copy(update={"types": kinds})})
    rule = {"strategy": "time", "reason": reason, "time": data.time, "frequency": frequency, "steps": steps}
    return seal_rows(dataset, sealed, typed, workspace, actor, rule | {"target": data.target})
