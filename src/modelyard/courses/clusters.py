"""The course of a search for clusters."""

from pathlib import Path

import polars as pl

from modelyard.courses.outcome import AFTER_TRAINING, OPEN_TEST, Outcome
from modelyard.courses.rows import RowCourse
from modelyard.courses.tracking import track_course
from modelyard.data import load_split
from modelyard.report import format_number

__all__ = ["ClusterCourse"]


class ClusterCourse(RowCourse):
    """Check, audit, train, evaluate and score for what goes together."""

    def train(self, *, resume: bool = True) -> Outcome:
        """Decide whether there are clusters, how many, and what sets each apart."""
        from modelyard.unsupervised.clusters.page import candidate_rows
        from modelyard.unsupervised.clusters.search import search_clusters

        ground = self._ground
        ground.permit("train")
        with ground.workspace.lock():
            run = search_clusters(
                self._split(), ground.problem, ground.workspace, resume=resume, progress=ground.progress
            )
            ground.finished(run.id, {"winner": run.method, "clusters": run.count, "split": run.split_id})
        figures = [
            {"silhouette": item.silhouette, "stability": item.stability, "strength": item.strength}
            for item in run.candidates
        ]
        known = [{name: value for name, value in item.items() if value is not None} for item in figures]
        tracked = [
            (f"{item.method}_{item.count}", {"reason": item.reason}, measured)
            for item, measured in zip(run.candidates, known, strict=True)
        ]
        track_course(
            ground, run.id, {"task": "clustering", "winner": run.method}, tracked, {"clusters": float(run.count)}
        )
        columns, rows = candidate_rows(run)
        return Outcome(
            f"{run.count} clusters by {run.method}" if run.count else "There are no clear clusters.",
            note=f"{len(run.candidates)} candidates, {run.rows:,} rows, {len(run.columns)} columns",
            said=(run.why, *(cluster.sentence.replace("`", "") for cluster in run.clusters)),
            columns=columns,
            rows=rows,
            numeric=(2, 3, 4, 5, 6),
            findings=run.findings,
            next_step=AFTER_TRAINING,
            record=run.to_dict(),
        )

    def evaluate(self, *, open_test: str | None = None) -> Outcome:
        """Measure the clusters, on the sealed rows if a reason is given."""
        from modelyard.unsupervised.archive import open_run
        from modelyard.unsupervised.clusters.evaluate import evaluate_clusters
        from modelyard.unsupervised.clusters.page import cluster_page
        from modelyard.unsupervised.clusters.records import ClusterRun

        ground = self._ground
        ground.permit("evaluate" if open_test is None else "open_test")
        with ground.workspace.lock():
            run = open_run(ClusterRun, ground.pointer("run", "train"), ground.workspace)
            split = load_split(run.split_id, ground.workspace)
            result = evaluate_clusters(
                run, split, ground.problem, ground.workspace, actor=ground.actor, reason=open_test
            )
            page = ground.page("evaluations", run.id, "evaluation", cluster_page(result, run, ground.problem))
            ground.evaluated(run.id, result, opened=open_test is not None)
        rows = (
            ("silhouette", format_number(result.silhouette)),
            ("agreement on sealed rows", format_number(result.replication)),
        )
        return Outcome(
            result.answer,
            columns=("figure", "value"),
            rows=rows,
            numeric=(1,),
            findings=result.findings,
            page=str(page),
            next_step="modelyard score TABLE CLUSTERS" if open_test else OPEN_TEST,
            refused=bool(result.guardrails),
            record=result.to_dict(),
        )

    def score(self, source: Path | str, destination: Path | str, *, query: str | None = None) -> Outcome:
        """Write the cluster of each row."""
        from modelyard.core import StateError
        from modelyard.unsupervised.archive import open_fitted, open_run
        from modelyard.unsupervised.clusters.evaluate import labels_as_text
        from modelyard.unsupervised.clusters.records import ClusterRun
        from modelyard.unsupervised.rows import row_names

        ground = self._ground
        ground.permit("score")
        run = open_run(ClusterRun, ground.pointer("run", "train"), ground.workspace)
        if run.count == 0:
            raise StateError(
                "there are no clear clusters, so no row can be assigned",
                where=f"run {run.id}",
                cure="Bring other columns or more rows, then run: modelyard train",
            )
        fitted = open_fitted(run.id, ground.workspace)
        frame = ground.conformed(ground.read(source, query), run.split_id, run.columns)
        labels = labels_as_text(fitted.assign(fitted.place(frame)))
        path = ground.write(
            pl.DataFrame({"row": row_names(frame, ground.problem), "cluster": labels}), destination, source
        )
        ground.note("clusters.assigned", run.id, {"rows": len(labels)})
        return Outcome(
            f"{len(labels):,} rows are assigned to {run.count} clusters.",
            note=f"{labels.count('none'):,} to none",
            page=str(path),
            record={"rows": len(labels), "clusters": run.count, "none": labels.count("none"), "destination": str(path)},
        )

    def _metric(self) -> str:
        return "silhouette, above that of noise"
