"""What the courses of anomalies and clusters share: rows without a target, divided and audited alike."""

import abc
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from modelyard.core import Severity, worst_severity
from modelyard.courses.base import CourseBase
from modelyard.courses.ground import Ground
from modelyard.courses.outcome import Outcome
from modelyard.data import Split
from modelyard.problem.address import is_url

if TYPE_CHECKING:
    from modelyard.packaging import Package, Scorer
    from modelyard.packaging.courses.rows import RowModel
    from modelyard.packaging.courses.story import CourseStory
    from modelyard.serving import BatchReport

__all__ = ["RowCourse"]

_SCANNERS: Mapping[str, Callable[..., pl.LazyFrame]] = {
    ".csv": pl.scan_csv,
    ".jsonl": pl.scan_ndjson,
    ".parquet": pl.scan_parquet,
}
_LABEL = "prediction_label"


class RowCourse(CourseBase):
    """A course over rows."""

    answers_rows = True

    def audit(self) -> Outcome:
        """Constants, gaps and repeated rows among the training rows."""
        self._ground.permit("audit")
        with self._ground.workspace.lock():
            return _audit(self._ground, self._split())

    def package(self) -> "Package":
        """Build the package of the newest run: one folder, digests, parity proved, card."""
        from modelyard.packaging.courses.rows import build_row_package
        from modelyard.packaging.details import build_details

        ground = self._ground
        ground.permit("register")
        with ground.workspace.lock():
            story = self._story()
            model, split = self._model()
            version, folder = ground.package_folder()
            details = build_details(ground.workspace, split, ground.actor)
            built = build_row_package(
                model, story, split, ground.problem, version=version, folder=folder, details=details
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
        resume: bool = True,
    ) -> Outcome:
        """Answer for every row of a table, by a version or the newest run; rows that break the contract are set aside."""
        from modelyard.serving import BatchSettings, BatchWork, score_and_note

        ground = self._ground
        ground.permit("score")
        scorer, folder = self._scorer(version)
        work = BatchWork(source, destination, query, BatchSettings(resume=resume, package=folder))
        report = score_and_note(scorer, work, ground.problem, ground.workspace, ground.actor, progress=ground.progress)
        headline, note = self._scored(scorer, report, _labels_in(report.destination))
        rows = "row is" if report.quarantined == 1 else "rows are"
        aside = f"; {report.quarantined:,} {rows} set aside" if report.quarantined else ""
        by = f"version {scorer.version}" if folder else f"{scorer.version}, which nobody has approved"
        return Outcome(headline, note=f"{note}; by {by}{aside}", page=report.destination, record=report.to_dict())

    def _scorer(self, version: int | None) -> "tuple[Scorer, Path | None]":
        """Of a version, of the one in production, or of the newest run if there is none; and the package's folder, if any."""
        from modelyard.packaging import Scorer
        from modelyard.packaging.courses.rows import row_scorer

        package = self._ground.released(version)
        if package is not None:
            return Scorer.load(package), package.folder
        model, split = self._model()
        self._ground.note("scoring.without_approval", model.run_id, {"task": self._ground.problem.task.value})
        return row_scorer(model, split, self._ground.problem), None

    @abc.abstractmethod
    def _model(self) -> "tuple[RowModel, Split]":
        """The newest run's winner in its two forms, and what it was learnt from."""

    @abc.abstractmethod
    def _story(self) -> "CourseStory":
        """What the newest run and its evaluation tell of it."""

    @abc.abstractmethod
    def _scored(self, scorer: "Scorer", report: "BatchReport", labels: Mapping[str, int]) -> tuple[str, str]:
        """The outcome of scoring in one line, and what it rests on; ``labels`` may be empty."""

    def _split(self) -> Split:
        from modelyard.unsupervised.rows import divide_rows

        ground = self._ground
        return ground.keep(divide_rows(ground.enter(), ground.problem, ground.workspace, ground.actor))


def _labels_in(destination: str) -> Mapping[str, int]:
    """How often each label was given; empty for a table of a database."""
    if is_url(destination):
        return {}
    labels = _SCANNERS[Path(destination).suffix](destination).select(_LABEL).collect()[_LABEL]
    return Counter(labels.cast(pl.String).to_list())


def _audit(ground: Ground, split: Split) -> Outcome:
    """What is wrong with the training rows, with its page."""
    from modelyard.unsupervised.page import rows_page
    from modelyard.unsupervised.rows import check_rows, encode_points, used_columns

    columns, excluded = used_columns(ground.problem, split.train.schema)
    encode_points(split.train.frame, ground.problem, columns)  # what cannot be compared is refused here already
    findings = check_rows(split.train.frame, columns)
    page = rows_page(split.train.frame, columns, dict(excluded), findings, ground.problem)
    path = ground.page("audits", split.record.id, "audit", page)
    return Outcome(
        f"Audit: {len(findings)} finding{'' if len(findings) == 1 else 's'}.",
        note=f"{split.train.frame.height:,} training rows, {len(columns)} columns are compared",
        findings=findings,
        page=str(path),
        next_step="modelyard train",
        refused=worst_severity(findings) is Severity.ERROR,
        record={"findings": [item.to_dict() for item in findings], "columns": [item.name for item in columns]}
        | {"excluded": dict(excluded)},
    )
