"""The course of a search for anomalies."""

from pathlib import Path

import numpy as np
import polars as pl

from modelyard.courses.outcome import AFTER_TRAINING, OPEN_TEST, Outcome
from modelyard.courses.rows import RowCourse
from modelyard.courses.tracking import track_course
from modelyard.data import load_split
from modelyard.report import format_number, format_percent

__all__ = ["AnomalyCourse"]


class AnomalyCourse(RowCourse):
    """Check, audit, train, evaluate and score for what is strange."""

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
        from modelyard.unsupervised.anomalies.records import AnomalyRun
        from modelyard.unsupervised.archive import open_run

        ground = self._ground
        ground.permit("evaluate" if open_test is None else "open_test")
        with ground.workspace.lock():
            run = open_run(AnomalyRun, ground.pointer("run", "train"), ground.workspace)
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
            next_step="modelyard score TABLE SCORES" if open_test else OPEN_TEST,
            refused=bool(result.guardrails),
            record=result.to_dict(),
        )

    def score(self, source: Path | str, destination: Path | str, *, query: str | None = None) -> Outcome:
        """Write how strange each row is, whether it is called an anomaly, and why."""
        from modelyard.unsupervised.anomalies.page import reasons_in_words
        from modelyard.unsupervised.anomalies.records import AnomalyRun
        from modelyard.unsupervised.anomalies.search import strange_rows
        from modelyard.unsupervised.archive import open_fitted, open_run
        from modelyard.unsupervised.rows import row_names

        ground = self._ground
        ground.permit("score")
        run = open_run(AnomalyRun, ground.pointer("run", "train"), ground.workspace)
        fitted = open_fitted(run.id, ground.workspace)
        frame = ground.conformed(ground.read(source, query), run.split_id, run.columns)
        scores = fitted.detector.score(fitted.points.encoder.transform(frame))
        flagged = int((scores >= run.threshold).sum())
        named = {
            item.row: reasons_in_words(item)
            for item in strange_rows(frame, fitted, ground.problem, flagged, scored=scores)
        }
        names = row_names(frame, ground.problem)
        shares = np.searchsorted(fitted.reference, scores, side="left") / len(fitted.reference)
        told = pl.DataFrame(
            {"row": names, "score": scores, "stranger_than": shares, "anomaly": scores >= run.threshold}
            | {"why": [named.get(name, "") for name in names]}
        )
        path = ground.write(told, destination, source)
        ground.note("anomalies.scored", run.id, {"rows": told.height, "anomalies": flagged})
        return Outcome(
            f"{flagged:,} of {told.height:,} rows are called anomalies ({format_percent(flagged / max(1, told.height), 2)}).",
            note=f"by {run.winner}, from a score of {format_number(run.threshold)} on",
            page=str(path),
            record={"rows": told.height, "anomalies": flagged, "destination": str(path), "winner": run.winner},
        )

    def _metric(self) -> str:
        return "average precision" if self._ground.problem.data.target else "steadiness"
