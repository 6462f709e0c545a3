"""The course of a search for clusters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelyard.courses.outcome import AFTER_TRAINING, OPEN_TEST, Outcome
from modelyard.courses.rows import RowCourse
from modelyard.courses.tracking import track_course
from modelyard.data import load_split
from modelyard.report import format_number

if TYPE_CHECKING:
    from modelyard.data import Split
    from modelyard.packaging import Scorer
    from modelyard.packaging.courses.rows import RowModel
    from modelyard.packaging.courses.story import CourseStory
    from modelyard.serving import BatchReport
    from modelyard.unsupervised.clusters.records import ClusterRun

__all__ = ["ClusterCourse"]


class ClusterCourse(RowCourse):
    """Check, audit, train, evaluate, package and score for what goes together."""

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
        from modelyard.unsupervised.clusters.evaluate import evaluate_clusters
        from modelyard.unsupervised.clusters.figures import TITLES
        from modelyard.unsupervised.clusters.page import cluster_page

        ground = self._ground
        ground.permit("evaluate" if open_test is None else "open_test")
        with ground.workspace.lock():
            run = self._run()
            split = load_split(run.split_id, ground.workspace)
            result = evaluate_clusters(
                run, split, ground.problem, ground.workspace, actor=ground.actor, reason=open_test
            )
            page = ground.page("evaluations", run.id, "evaluation", cluster_page(result, run, ground.problem))
            ground.evaluated(run.id, result, opened=open_test is not None)
        rows = tuple(
            (TITLES[item.name], format_number(item.value), format_number(item.low), format_number(item.high))
            for item in result.figures
        )
        return Outcome(
            result.answer,
            columns=("figure", "value", "from", "to"),
            rows=rows,
            numeric=(1, 2, 3),
            findings=result.findings,
            page=str(page),
            next_step="modelyard package" if open_test else OPEN_TEST,
            refused=bool(result.guardrails),
            record=result.to_dict(),
        )

    def _model(self) -> "tuple[RowModel, Split]":
        from modelyard.packaging.courses.clusters import cluster_model
        from modelyard.unsupervised.archive import open_fitted

        run = self._run()
        split = load_split(run.split_id, self._ground.workspace)
        return cluster_model(run, open_fitted(run.id, self._ground.workspace), split.train.frame), split

    def _story(self) -> "CourseStory":
        from modelyard.packaging.courses.clusters import cluster_story
        from modelyard.unsupervised.archive import open_fitted
        from modelyard.unsupervised.clusters.records import ClusterEvaluation

        ground, run = self._ground, self._run()
        fitted = open_fitted(run.id, ground.workspace)
        return cluster_story(run, fitted, ground.evaluation(ClusterEvaluation, run.id), ground.problem)

    def _scored(self, scorer: "Scorer", report: "BatchReport", labels: Mapping[str, int]) -> tuple[str, str]:
        from modelyard.packaging.courses.clusters import NONE

        count = len(set(scorer.classes) - {NONE})
        note = f"{labels.get(NONE, 0):,} to none" if labels else "each with how far it belongs there"
        return f"{report.scored:,} rows are assigned to {count} clusters.", note

    def _run(self) -> "ClusterRun":
        from modelyard.unsupervised.archive import open_run
        from modelyard.unsupervised.clusters.records import ClusterRun

        return open_run(ClusterRun, self._ground.pointer("run", "train"), self._ground.workspace)

    def _metric(self) -> str:
        return "silhouette, above that of noise"
