"""What the courses of anomalies and clusters share: rows without a target, divided and audited alike."""

from modelyard.core import Severity, worst_severity
from modelyard.courses.base import CourseBase
from modelyard.courses.ground import Ground
from modelyard.courses.outcome import Outcome
from modelyard.data import Split

__all__ = ["RowCourse"]


class RowCourse(CourseBase):
    """A course over rows."""

    def audit(self) -> Outcome:
        """Constants, gaps and repeated rows among the training rows."""
        self._ground.permit("audit")
        with self._ground.workspace.lock():
            return _audit(self._ground, self._split())

    def _split(self) -> Split:
        from modelyard.unsupervised.rows import divide_rows

        ground = self._ground
        return ground.keep(divide_rows(ground.enter(), ground.problem, ground.workspace, ground.actor))


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
