"""The course of a search for anomalies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from modelyard.courses.outcome import AFTER_TRAINING, OPEN_TEST, Outcome
from modelyard.courses.rows import RowCourse
from modelyard.courses.tracking import track_course
from modelyard.data import load_split
from modelyard.report import format_number, format_percent

if TYPE_CHECKING:
    from modelyard.data import Split
    from modelyard.packaging import Scorer
    from modelyard.packaging.courses.rows import RowModel
    from modelyard.packaging.courses.story import CourseStory
    from modelyard.serving import BatchReport
    from modelyard.unsupervised.anomalies.records import AnomalyRun

__all__ = ["AnomalyCourse"]


class AnomalyCourse(RowCourse):
    """Check, audit, train, evaluate, package and score for what is strange."""

    def train(self, *, resume: bool = True) -> Outcome:
        """Try the detectors, choose one, list the strangest rows."""
        from modelyard.unsupervised.anomalies.page import TITLES, anomaly_table
        from modelyard.unsupervised.anomalies.search import search_anomalies

        ground = self._ground
        ground.permit("train")
        with ground.workspace.lock():
            run = search_anomalies(
                self._split(), ground.problem, ground.workspace, resume=resume, progress=ground.progress
            )
            ground.finished(run.id, {"winner": run.winner, "split": run.split_id})
        measured = {
            item.name: {name: value for name, value in item.figures.items() if value is not None}
            for item in run.candidates
        }
        settings = {"task": "anomaly", "metric": run.metric, "winner": run.winner, "contamination": run.contamination}
        tracked = [(item.name, {"status": item.status}, measured[item.name]) for item in run.candidates]
        track_course(ground, run.id, settings, tracked, measured[run.winner])
        names = [name for name in TITLES if any(name in figures for figures in measured.values())]
        rows = tuple(
            (
                "★" if item.name == run.winner else "",
                item.name,
                *(format_number(item.figures.get(name)) for name in names),
                format_number(item.seconds),
            )
            for item in run.candidates
        )
        _, strangest = anomaly_table(run.top[:5])
        return Outcome(
            f"Winner: {run.winner}",
            note=f"{len(run.candidates)} detectors, {run.rows:,} rows, {len(run.columns)} columns",
            said=(run.why, *(f"strange: row {cells[0]}, score {cells[1]}: {cells[-1]}" for cells in strangest)),
            columns=("", "detector", *(TITLES[name] for name in names), "seconds"),
            rows=rows,
            numeric=tuple(range(2, len(names) + 3)),
            findings=run.findings,
            next_step=AFTER_TRAINING,
            record=run.to_dict(),
        )

    def evaluate(self, *, open_test: str | None = None) -> Outcome:
        """Measure the winner, on the sealed rows if a reason is given; the strangest rows go to a file."""
        from modelyard.unsupervised.anomalies.evaluate import evaluate_anomalies
        from modelyard.unsupervised.anomalies.page import TITLES, anomaly_page, anomaly_table

        ground = self._ground
        ground.permit("evaluate" if open_test is None else "open_test")
        with ground.workspace.lock():
            run = self._run()
            split = load_split(run.split_id, ground.workspace)
            result = evaluate_anomalies(
                run, split, ground.problem, ground.workspace, actor=ground.actor, reason=open_test
            )
            page = ground.page("evaluations", run.id, "evaluation", anomaly_page(result, run, ground.problem))
            columns, rows = anomaly_table(result.top)
            pl.DataFrame(rows, schema=list(columns), orient="row").write_csv(page.parent / "anomalies.csv")
            ground.evaluated(run.id, result, opened=open_test is not None)
        shown = tuple(
            (TITLES[item.name], format_number(item.value), format_number(item.low), format_number(item.high))
            for item in result.figures
        )
        return Outcome(
            result.answer,
            columns=("figure", "value", "from", "to"),
            rows=shown,
            numeric=(1, 2, 3),
            findings=result.findings,
            page=str(page),
            next_step="modelyard package" if open_test else OPEN_TEST,
            refused=bool(result.guardrails),
            record=result.to_dict(),
        )

    def _model(self) -> "tuple[RowModel, Split]":
        from modelyard.packaging.courses.anomalies import anomaly_model
        from modelyard.unsupervised.archive import open_fitted

        run = self._run()
        model = anomaly_model(run, open_fitted(run.id, self._ground.workspace))
        return model, load_split(run.split_id, self._ground.workspace)

    def _story(self) -> "CourseStory":
        from modelyard.packaging.courses.anomalies import anomaly_story
        from modelyard.unsupervised.anomalies.records import AnomalyEvaluation

        run = self._run()
        return anomaly_story(run, self._ground.evaluation(AnomalyEvaluation, run.id), self._ground.problem)

    def _scored(self, scorer: "Scorer", report: "BatchReport", labels: Mapping[str, int]) -> tuple[str, str]:
        from modelyard.packaging.courses.anomalies import CLASSES

        threshold = f"from a score of {format_number(scorer.threshold)} on"
        if not labels:
            return f"{report.scored:,} of {report.rows:,} rows are scored.", f"anomalies {threshold}"
        count = labels.get(CLASSES[1], 0)
        share = format_percent(count / report.scored, 2)
        return f"{count:,} of {report.scored:,} rows are called anomalies ({share}).", threshold

    def _run(self) -> "AnomalyRun":
        from modelyard.unsupervised.anomalies.records import AnomalyRun
        from modelyard.unsupervised.archive import open_run

        return open_run(AnomalyRun, self._ground.pointer("run", "train"), self._ground.workspace)

    def _metric(self) -> str:
        return "average precision" if self._ground.problem.data.target else "steadiness"
