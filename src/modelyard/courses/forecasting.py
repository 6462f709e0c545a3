"""The course of a forecast."""

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from modelyard.core import Severity, worst_severity
from modelyard.courses.base import CourseBase
from modelyard.courses.outcome import AFTER_TRAINING, OPEN_TEST, Outcome
from modelyard.courses.tracking import track_course
from modelyard.data import Split
from modelyard.problem import metric_spec
from modelyard.report import Findings, Section, format_number, format_percent

if TYPE_CHECKING:
    from modelyard.packaging import Package

__all__ = ["ForecastCourse"]


class ForecastCourse(CourseBase):
    """Check, audit, train, evaluate, package and score for series in time."""

    answers_rows = False

    def audit(self) -> Outcome:
        """Gaps, constant series, shifts of level, series too short; the page draws the series."""
        from modelyard.forecasting.page import series_page
        from modelyard.forecasting.series.checks import check_panel
        from modelyard.forecasting.series.panel import build_panel

        ground = self._ground
        ground.permit("audit")
        with ground.workspace.lock():
            split = self._split()
            panel = build_panel(split.train.frame, ground.problem)
            findings = check_panel(panel, ground.problem.forecast)
            section = Section("What wants a decision", (Findings(findings),))
            page = ground.page("audits", split.record.id, "audit", series_page(panel, (section,), ground.problem))
        return Outcome(
            f"Audit: {len(findings)} finding{'' if len(findings) == 1 else 's'}.",
            note=f"{len(panel.names):,} series of {panel.frequency}, {panel.steps:,} steps",
            findings=findings,
            page=str(page),
            next_step="modelyard train",
            refused=worst_severity(findings) is Severity.ERROR,
            record={"findings": [item.to_dict() for item in findings], "series": len(panel.names)}
            | {"frequency": panel.frequency, "steps": panel.steps},
        )

    def train(self, *, resume: bool = True) -> Outcome:
        """Try the methods by walk-forward, and choose."""
        from modelyard.forecasting.train import train_forecast

        ground = self._ground
        ground.permit("train")
        with ground.workspace.lock():
            split = self._split()
            run = train_forecast(
                split, ground.problem, ground.workspace, resume=resume, progress=ground.progress
            ).record
            ground.finished(run.id, {"winner": run.winner, "split": run.split_id})
        settings = {"task": "forecasting", "horizon": run.horizon, "frequency": run.frequency, "winner": run.winner}
        measured = [
            (
                item.name,
                {"status": item.status},
                {name: value for name, value in item.figures.items() if value is not None},
            )
            for item in run.candidates
        ]
        track_course(
            ground,
            run.id,
            settings,
            measured,
            dict(measured[[item.name for item in run.candidates].index(run.winner)][2]),
        )
        done = sorted(run.candidates, key=lambda item: item.figures.get(run.metric) or float("inf"))
        rows = tuple(
            (
                "★" if item.name == run.winner else "",
                item.name,
                format_number(item.figures.get(run.metric)) if item.status == "done" else item.status,
                format_percent(item.coverage),
                format_number(item.seconds),
                item.error,
            )
            for item in done
        )
        return Outcome(
            f"Winner: {run.winner}",
            note=f"{len(run.candidates)} methods, {run.windows} windows of {run.horizon} steps, {len(run.series):,} series",
            said=(run.why,),
            columns=("", "method", metric_spec(run.metric).title, "inside intervals", "seconds", "note"),
            rows=rows,
            numeric=(2, 3, 4),
            findings=run.findings,
            next_step=AFTER_TRAINING,
            record=run.to_dict(),
        )

    def evaluate(self, *, open_test: str | None = None) -> Outcome:
        """Measure the winner by the backtest, or for a reason on the sealed horizons."""
        from modelyard.data import load_split
        from modelyard.forecasting.evaluate import evaluate_forecast, measure
        from modelyard.forecasting.page import forecast_page
        from modelyard.forecasting.run import load_forecast

        ground = self._ground
        ground.permit("evaluate" if open_test is None else "open_test")
        with ground.workspace.lock():
            stored = load_forecast(ground.pointer("run", "train"), ground.workspace)
            run = stored.record
            split = load_split(run.split_id, ground.workspace)
            seen = measure(stored, split, ground.problem, actor=ground.actor, reason=open_test)
            result = evaluate_forecast(seen, run, split, ground.problem)
            folder = ground.workspace.folder("evaluations", run.id)
            page = ground.page("evaluations", run.id, "evaluation", forecast_page(result, run, seen, ground.problem))
            seen.table().write_csv(folder / "forecasts.csv")
            ground.evaluated(run.id, result, opened=open_test is not None)
        rows = tuple(
            (item.name, *(format_number(value) for value in item.figures.values())) for item in reversed(result.systems)
        )
        titles = tuple(metric_spec(name).title for name in result.systems[-1].figures)
        return Outcome(
            result.answer,
            columns=("method", *titles),
            rows=rows,
            numeric=tuple(range(1, len(titles) + 1)),
            findings=result.findings,
            page=str(page),
            next_step="modelyard package" if open_test else OPEN_TEST,
            refused=bool(result.guardrails),
            record=result.to_dict(),
        )

    def package(self) -> "Package":
        """Build the package of the newest run: one folder, digests, parity proved on golden histories, card."""
        from modelyard.data import load_split
        from modelyard.forecasting import ForecastEvaluation
        from modelyard.forecasting.run import load_forecast
        from modelyard.packaging.courses.forecasts import build_forecast_package, forecast_story
        from modelyard.packaging.details import build_details

        ground = self._ground
        ground.permit("register")
        with ground.workspace.lock():
            stored = load_forecast(ground.pointer("run", "train"), ground.workspace)
            run = stored.record
            story = forecast_story(run, ground.evaluation(ForecastEvaluation, run.id), ground.problem)
            split = load_split(run.split_id, ground.workspace)
            version, folder = ground.package_folder()
            details = build_details(ground.workspace, split, ground.actor)
            built = build_forecast_package(
                stored, story, split, ground.problem, version=version, folder=folder, details=details
            )
            ground.packaged(built)
        return built

    def score(
        self,
        source: Path | str,
        destination: Path | str,
        *,
        query: str | None = None,
        version: int | None = None,
        resume: bool = True,  # noqa: ARG002 - a horizon is told at once, so there is no half-done work
    ) -> Outcome:
        """Write the next horizon after a history, with intervals, by a version or the newest run."""
        ground = self._ground
        ground.permit("score")
        path = ground.place_for(destination, source)
        told, winner, by, subject = self._told(ground.read(source, query), version)
        ground.write(told, path)
        ground.note("forecast.told", subject, {"rows": told.height, "from": str(told["moment"].min())})
        first, last, steps = told["moment"][0], told["moment"][-1], told["step"][-1]
        return Outcome(
            f"{told['series'].n_unique():,} series told {steps} steps ahead.",
            note=f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, by {winner}; {by}",
            page=str(path),
            record={"rows": told.height, "series": told["series"].n_unique(), "destination": str(path)}
            | {"first": str(first), "last": str(last), "winner": winner, "by": by},
        )

    def _told(self, history: pl.DataFrame, version: int | None) -> tuple[pl.DataFrame, str, str, str]:
        """The next horizon, the method, whose it is in words, and the ledger's subject."""
        from modelyard.forecasting.run import load_forecast
        from modelyard.forecasting.telling import TellingRule, tell
        from modelyard.packaging.courses.horizon import ForecastScorer

        ground = self._ground
        package = ground.released(version)
        if package is not None:
            scorer = ForecastScorer.load(package).require_golden()
            manifest = scorer.manifest
            subject = f"{manifest.name}/{manifest.version}"
            return scorer.tell(history), scorer.plan.method, f"version {manifest.version}", subject
        stored = load_forecast(ground.pointer("run", "train"), ground.workspace)
        run = stored.record
        ground.note("scoring.without_approval", run.id, {"winner": run.winner})
        told = tell(stored.fitted, TellingRule.of(run), history, ground.problem)
        return told, run.winner, f"run {run.id}, which nobody has approved", run.id

    def _split(self) -> Split:
        from modelyard.forecasting.series.division import divide_in_time

        ground = self._ground
        return ground.keep(divide_in_time(ground.enter(), ground.problem, ground.workspace, ground.actor))

    def _metric(self) -> str:
        return self._ground.problem.primary_metric
