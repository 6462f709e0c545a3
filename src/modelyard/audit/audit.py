"""The audit: every check on the training part, gravest finding first."""

from collections.abc import Sequence

from modelyard.audit.associations import associations
from modelyard.audit.checks import CHECKS
from modelyard.audit.context import AuditContext
from modelyard.audit.facts import column_facts
from modelyard.audit.gaps import gap_patterns
from modelyard.audit.records import AuditReport, LabelSuspect, SkippedCheck
from modelyard.audit.signal import score_name
from modelyard.core import DataError, Finding, Progress, ProgressEvent, digest_json, silent
from modelyard.data import Correction, Dataset, Roles, Split
from modelyard.problem import Problem
from modelyard.version import __version__

__all__ = ["audit", "audit_basis"]


def audit_basis(split: Split, problem: Problem, corrections: Sequence[Correction] = ()) -> str:
    """Digest of all that a whole audit hangs on: equal ones find the same.

    Parameters
    ----------
    split, problem
        The rows, and the resolved question; another seed is another question.
    corrections
        The decisions about single rows that the report lists.
    """
    return digest_json(
        {
            "split": split.record.id,
            "problem": problem.model_dump(mode="json"),
            "corrections": [correction.id for correction in corrections],
            "checks": [check.id for check in CHECKS],
            "modelyard": __version__,
        }
    )


def audit(
    train: Dataset, problem: Problem, roles: Roles, *, seed: int, quick: bool = False, progress: Progress = silent
) -> AuditReport:
    """Look at the training part and say what is wrong with it, or may be.

    Parameters
    ----------
    train
        The training part of a split; the test part cannot be given, by its type.
    problem
        Resolved: its task is known.
    roles
        What each column is for; features may be empty.
    seed
        Root of the sampling; equal seeds give equal reports.
    quick
        Leave out the checks that train a model; the report says which. A look at a table in seconds, no gate.
    progress
        Hears of every check.

    Raises
    ------
    DataError
        If there is no row.
    """
    if train.frame.height == 0:
        raise DataError(
            "there is no row to audit",
            where="training part",
            got="0 rows",
            cure="Give a larger table, or a larger train share under split",
        )
    context = AuditContext(train, problem, roles, seed, quick)
    findings: list[Finding] = []
    skipped: list[SkippedCheck] = []
    for done, check in enumerate(CHECKS, start=1):
        reason = check.cannot_run(context)
        if reason:
            skipped.append(SkippedCheck(check.id, reason))
        else:
            findings.extend(check(context))
        progress(ProgressEvent("audit", done, len(CHECKS), check.id.replace("-", " ")))
    return AuditReport(
        rows=train.frame.height,
        columns=train.frame.width,
        findings=tuple(sorted(findings, key=lambda finding: -finding.severity.rank)),
        column_facts=column_facts(context),
        score_name=score_name(problem.task),
        checks=tuple(check.id for check in CHECKS if check.id not in {item.check for item in skipped}),
        skipped=tuple(skipped),
        label_suspects=_suspects(context, findings),
        associations=associations(context),
        gaps=gap_patterns(context),
        quick=quick,
    )


def _suspects(context: AuditContext, findings: list[Finding]) -> tuple[LabelSuspect, ...]:
    """The labels or numbers that a finding is about."""
    said = {finding.id for finding in findings}
    if "label-errors" in said:
        return context.label_model.suspects
    return context.value_model.suspects if "target-errors" in said else ()
