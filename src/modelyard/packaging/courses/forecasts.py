"""Packages of forecasts."""

import dataclasses
import datetime as dt
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from modelyard.core import DataError
from modelyard.data import Column, Contract, Roles, Split, derive_contract
from modelyard.features import FeatureEntry
from modelyard.forecasting import ForecastEvaluation, ForecastRun
from modelyard.forecasting.run import StoredForecast
from modelyard.forecasting.series.panel import columns_of
from modelyard.forecasting.telling import TellingRule, tell
from modelyard.packaging.card import CandidateLine
from modelyard.packaging.courses.figures import figures_of
from modelyard.packaging.courses.finish import CourseDraft
from modelyard.packaging.courses.horizon import (
    FITTED_FILE,
    ForecastScorer,
    GoldenHistories,
    golden_history,
    history_frame,
)
from modelyard.packaging.courses.story import CourseStory
from modelyard.packaging.courses.telling_plan import TellingPlan
from modelyard.packaging.finishing import BuildDetails, Content
from modelyard.packaging.golden import Parity, as_requests
from modelyard.packaging.mlflow_files import mlflow_files
from modelyard.packaging.package import Package
from modelyard.packaging.predictors import DOUBLE_TOLERANCE, SINGLE_TOLERANCE
from modelyard.packaging.suite import history_suite_files
from modelyard.problem import Problem, Task, held_guardrails

__all__ = ["build_forecast_package", "forecast_story"]

_LIBRARIES = {"lightgbm": "lightgbm", "ets": "statsmodels", "arima": "statsmodels"}
_LEARNS_ALONE = frozenset(("ets", "arima"))
_SERIES = 3
_SEASONS, _FEWEST_STEPS, _MOST_STEPS = 8, 60, 400


def forecast_story(run: ForecastRun, evaluation: ForecastEvaluation, problem: Problem) -> CourseStory:
    """What was tried, chosen and measured."""
    winner = evaluation.system(evaluation.winner)
    ends = {evaluation.metric: (winner.low, winner.high)}
    named = f"{len(run.series):,} series" if len(run.series) > 1 else "one series"
    return CourseStory(
        run_id=run.id,
        task=Task.FORECASTING,
        classes=(),
        answers=(
            f"Tells the next {run.horizon} steps of {run.frequency} of {run.target} after a history, for {named}, each with an "
            f"interval that holds {run.coverage:.0%} of later values."
        ),
        winner=run.winner,
        why=run.why,
        metric=run.metric,
        resamples=(run.windows, "walk-forward, no"),
        candidates=tuple(
            CandidateLine(
                item.name,
                item.name,
                "baseline" if item.complexity < 2 else "candidate",
                item.status,
                item.figures.get(run.metric),
                None,
            )
            for item in run.candidates
        ),
        measured_on=evaluation.measured_on,
        confidence=evaluation.confidence,
        figures=figures_of((name, value, *ends.get(name, (None, None))) for name, value in winner.figures.items()),
        guardrails=held_guardrails(problem, winner.figures),
        openings=evaluation.openings,
        findings=(("training", run.findings), ("evaluation", evaluation.findings)),
        environment=run.environment,
    )


def build_forecast_package(
    stored: StoredForecast,
    story: CourseStory,
    split: Split,
    problem: Problem,
    *,
    version: str,
    folder: Path,
    details: BuildDetails,
) -> Package:
    """Build, verify and publish a package of a forecast under ``folder``, which must not exist.

    Raises
    ------
    StateError
        If ``folder`` exists.
    GateRefusedError
        If the written files do not tell what the run tells, or a limit is exceeded; nothing is published then.
    """
    return _Draft(split, problem, version, details, story, stored).publish(folder)


@dataclasses.dataclass(frozen=True)
class _Draft(CourseDraft):
    """What a run learnt of series, and histories after which it tells."""

    stored: StoredForecast

    @property
    def requirements(self) -> dict[str, str]:
        """Of the methods that tell."""
        libraries = sorted({_LIBRARIES[one] for one in self._methods() if one in _LIBRARIES})
        names = ["modelyard", "numpy", "polars", *libraries]
        return {name: importlib.metadata.version(name) for name in names}

    def files(self, created_at: dt.datetime) -> dict[str, Content]:
        """What was learnt, and golden histories instead of rows."""
        plan, contract = self.plan(), self._contract()
        suite = history_suite_files(plan.columns, plan.rule.horizon)
        tests: dict[str, Content] = {f"tests/{name}": text for name, text in suite.items()}
        return {
            f"model/{FITTED_FILE}": json.dumps(dict(self.stored.fitted.to_dict()), allow_nan=False),
            "plan.json": plan.to_dict(),
            "contract.json": contract.to_dict(),
            "golden.json": self.golden(plan).to_dict(),
            **tests,
            **mlflow_files(plan, self._columns(), contract, requirements=self.requirements, created_at=created_at),
        }

    def prove(self, place: Path) -> tuple[Parity, Parity]:
        """On the golden histories, each of which is a table."""
        parity = ForecastScorer.load(place).verify_golden()
        return parity, parity

    def features(self) -> tuple[FeatureEntry, ...]:
        """Of the columns of a history."""
        plan = self.plan()
        return tuple(_entry(column, plan) for column in self._columns())

    def plan(self) -> TellingPlan:
        """What is told."""
        run = self.stored.record
        return TellingPlan(
            task=Task.FORECASTING,
            classes=(),
            target=run.target,
            time=run.time,
            series=columns_of(self.problem),
            seasons=run.seasons,
            fill=self.problem.forecast.fill,
            method=run.winner,
            coverage=run.coverage,
            rule=TellingRule.of(run),
        )

    def golden(self, plan: TellingPlan) -> GoldenHistories:
        """Histories with what the run tells after them."""
        told = [
            golden_history(origin, rows, self._told(rows))
            for origin, rows in _histories(
                self.split.train.frame, plan, learns_alone=bool(self._methods() & _LEARNS_ALONE)
            )
        ]
        tolerance = SINGLE_TOLERANCE if self._methods() & _LEARNS_ALONE else DOUBLE_TOLERANCE
        return GoldenHistories(tolerance, tuple(told))

    def _told(self, rows: tuple[Mapping[str, Any], ...]) -> pl.DataFrame:
        """What the run itself tells after a history."""
        time = self.stored.record.time
        frame = history_frame(rows).with_columns(pl.col(time).str.to_datetime(time_unit="us"))
        return tell(self.stored.fitted, TellingRule.of(self.stored.record), frame, self.problem)

    def _methods(self) -> frozenset[str]:
        """The winner, or the methods of which it is the mean."""
        members = self.stored.fitted.to_dict().get("members")
        return frozenset(members or (self.stored.record.winner,))

    def _columns(self) -> tuple[Column, ...]:
        """Columns of a history."""
        return tuple(self.split.train.schema.column(name) for name in self.plan().columns)

    def _contract(self) -> Contract:
        """Of these columns."""
        data = self.problem.data
        roles = Roles(target="", features=self.plan().columns, id=None, time=data.time, group=None, excluded={})
        return derive_contract(self.split.train, roles, data)


def _entry(column: Column, plan: TellingPlan) -> FeatureEntry:
    """What becomes of a column of the history."""
    said = {plan.time: "the moment, put on a grid of steps", plan.target: "the past of what is told"}
    use = said.get(column.name, "names the series")
    return FeatureEntry(column.name, column.kind.value, (column.name,), use, "project file", "the project file says so")


def _histories(
    rows: pl.DataFrame, plan: TellingPlan, *, learns_alone: bool
) -> Iterator[tuple[str, tuple[Mapping[str, Any], ...]]]:
    """Ends of a few series: as they are, a horizon earlier, with a gap, and under a name that nobody knows.

    A method that learns each series alone would learn an unknown one when it is asked, which need not come out alike on
    another machine, so its package has no such history.
    """
    latest = _ends(rows.select(plan.columns), plan)
    moments = latest[plan.time].unique().sort()
    yield "latest", _plain(latest)
    if len(moments) > 2 * plan.rule.horizon:
        yield "a horizon earlier", _plain(latest.filter(pl.col(plan.time) <= moments[-1 - plan.rule.horizon]))
    if len(moments) > _FEWEST_STEPS // 2:
        yield "a gap", _plain(latest.filter(pl.col(plan.time) != moments[-3]))
    if plan.series and not learns_alone:
        unknown = pl.lit("a series that training never saw").alias(plan.series[0])
        yield "an unknown series", _plain(_first_series(latest, plan).with_columns(unknown))


def _ends(rows: pl.DataFrame, plan: TellingPlan) -> pl.DataFrame:
    """The last steps of the first few series that go on to the end."""
    moments = rows[plan.time].unique().sort()
    season = plan.seasons[0] if plan.seasons else 1
    steps = max(min(_SEASONS * season, _MOST_STEPS), 3 * season + 2 * plan.rule.horizon, _FEWEST_STEPS)
    recent = rows.filter(pl.col(plan.time) >= moments[-min(steps, len(moments))], pl.col(plan.target).is_not_null())
    if not plan.series:
        return recent.sort(plan.time)
    alive = recent.filter(pl.col(plan.time) == recent[plan.time].max()).select(plan.series).unique().sort(plan.series)
    if alive.is_empty():
        raise DataError("no series goes on to the last moment", where=f"column {plan.time!r}", cure="Bring newer rows")
    return recent.join(alive.head(_SERIES), on=plan.series, how="semi", nulls_equal=True).sort(*plan.series, plan.time)


def _first_series(rows: pl.DataFrame, plan: TellingPlan) -> pl.DataFrame:
    """The rows of one series."""
    first = rows.select(plan.series).head(1)
    return rows.join(first, on=plan.series, how="semi", nulls_equal=True)


def _plain(rows: pl.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Rows as JSON gives them."""
    return tuple(as_requests(rows))
