"""The audit's gate: errors want a decision before anybody trains."""

from modelyard.audit.records import AuditReport
from modelyard.core import GateRefusedError, Severity

__all__ = ["require_decisions"]

_MOST_NAMED = 3


def require_decisions(report: AuditReport, accepted: str | None) -> None:
    """Let a report without errors pass, and one with errors only if somebody gave a reason to go on.

    Raises
    ------
    GateRefusedError
        If there are errors and ``accepted`` is empty; the sentence names them.
    """
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    if not errors or (accepted and accepted.strip()):
        return
    named = " ".join(finding.message for finding in errors[:_MOST_NAMED]).removesuffix(".")
    more = f". And {len(errors) - _MOST_NAMED} more" if len(errors) > _MOST_NAMED else ""
    raise GateRefusedError(
        "the audit found errors that nobody has decided on",
        where="audit",
        got=f"{len(errors)}: {named}{more}",
        cure='Exclude the columns under data.exclude with a reason, or train with --accept "the reason why not"',
    )
