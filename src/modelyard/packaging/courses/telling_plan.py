"""The plan of a packaged forecast: how a history becomes the next horizon, as plain data."""

import dataclasses

from modelyard.core import Record
from modelyard.forecasting.telling import TellingRule
from modelyard.problem import Problem, Task

__all__ = ["TellingPlan"]


@dataclasses.dataclass(frozen=True)
class TellingPlan(Record):
    """What a forecast reads, by what it tells, and how far.

    Parameters
    ----------
    task, classes
        Forecasting, and none: as every plan of a package has them.
    target, time, series
        Columns of a history: the value, the moment, and those that name a series; none if the table is one series.
    seasons, fill
        As the project file has them.
    method
        The winner; what it learnt lies under ``model/``.
    coverage
        Share of later values that intervals must hold.
    rule
        Step, horizon and widths.
    """

    task: Task
    classes: tuple[str, ...]
    target: str
    time: str
    series: tuple[str, ...]
    seasons: tuple[int, ...]
    fill: str
    method: str
    coverage: float
    rule: TellingRule

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a history needs."""
        return (*self.series, self.time, self.target)

    @property
    def problem(self) -> Problem:
        """The question, as far as telling depends on it."""
        forecast = {
            "horizon": self.rule.horizon,
            "frequency": self.rule.frequency,
            "series": list(self.series),
            "seasons": list(self.seasons),
            "fill": self.fill,
        }
        data = {"source": "history", "target": self.target, "time": self.time}
        return Problem.model_validate({"task": self.task.value, "data": data, "forecast": forecast})
