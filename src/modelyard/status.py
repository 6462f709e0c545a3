"""Where a project stands: what its stores say, as records for the terminal and for programs."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelyard.core import Finding, Record, Severity

if TYPE_CHECKING:
    from modelyard.data import VersionDiff

__all__ = ["CheckReport", "Status", "next_step", "source_changed"]


@dataclasses.dataclass(frozen=True)
class CheckReport(Record):
    """The question, whether the data can answer it, and what is wrong with it.

    Parameters
    ----------
    name, task, target, metric
        As resolved from the project file and the data.
    dataset_id, rows, columns
        The data set version.
    split
        Strategy and reason, in one sentence.
    test_rows, openings
        Size of the sealed test part, and how many times it was opened.
    findings
        About the question and the split.
    """

    name: str
    task: str
    target: str
    metric: str
    dataset_id: str
    rows: int
    columns: int
    split: str
    test_rows: int
    openings: int
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """True if a finding forbids to go on."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclasses.dataclass(frozen=True)
class Status(Record):
    """What exists of a project's life.

    Parameters
    ----------
    name
        The model's name.
    dataset_id, split_id, run_id, package
        The newest of each, or None.
    test_openings
        How many times the sealed part of the newest split was opened.
    production
        Version in production, or None.
    waiting
        Versions that wait for approval.
    ledger_rows, ledger_ok
        Length of the ledger, and whether its chain holds.
    next_step
        The command that comes next.
    findings
        Promotions past the gates that nobody has reviewed, and artefacts that git tracks.
    rollout
        The version that is on its way into production, and how far it is; None if there is none.
    retraining
        How far a retraining is that was begun and has not ended; None if there is none.
    """

    name: str
    dataset_id: str | None
    split_id: str | None
    run_id: str | None
    package: str | None
    test_openings: int
    production: int | None
    waiting: tuple[int, ...]
    ledger_rows: int
    ledger_ok: bool
    next_step: str
    findings: tuple[Finding, ...] = ()
    rollout: str | None = None
    retraining: str | None = None


def source_changed(change: "VersionDiff | None") -> tuple[Finding, ...]:
    """One finding if the source holds something else than when a command last read it."""
    if change is None:
        return ()
    return (
        Finding(
            id="source-changed",
            severity=Severity.WARNING,
            subject="data.source",
            message=f"The source has changed since version {change.before}: {change.summary}.",
            why="Rows that were sealed before may be among the new training rows; runs of the two are not comparable.",
            action=f"Look at it: modelyard data diff {change.before} {change.after}; then run audit and train again.",
            evidence=change.to_dict(),
            row="D2",
        ),
    )


def next_step(
    pointers: Mapping[str, str | None],
    production: int | None,
    waiting: tuple[int, ...],
    *,
    approved: tuple[int, ...] = (),
    under_conditions: tuple[int, ...] = (),
    registered: bool = True,
    is_watched: bool = True,
) -> str:
    """The command that brings the life forward.

    Parameters
    ----------
    pointers
        The newest split, run, evaluated run and package; None for what is not there.
    production
        The version in production, or None.
    waiting, approved
        Versions that wait for approval, and those that are approved and not yet in production.
    under_conditions
        Those of the approved whose approvals ask for a rollout first.
    registered
        Whether the newest package is in the registry.
    is_watched
        False for tasks that are not monitored.

    >>> next_step({"split": None, "run": None, "evaluation": None, "package": None}, None, ())
    'modelyard audit'
    >>> next_step({"split": "a", "run": "b", "evaluation": "b", "package": "m-1"}, None, (1,))
    'modelyard approve 1 --reason "..."'
    >>> next_step({"split": "a", "run": "b", "evaluation": "b", "package": "m-1"}, None, (), approved=(1,))
    'modelyard promote 1'
    """
    for name, command in (("split", "audit"), ("run", "train"), ("evaluation", "evaluate"), ("package", "package")):
        if pointers.get(name) is None:
            return f"modelyard {command}"
    if pointers["evaluation"] != pointers["run"]:
        return "modelyard evaluate"
    if not registered:
        return "modelyard register"
    if waiting:
        return f'modelyard approve {waiting[-1]} --reason "..."'
    if approved:
        return f"modelyard {'deploy' if approved[-1] in under_conditions else 'promote'} {approved[-1]}"
    # Without a version in production none is left to promote: all were rejected, so a better one is needed.
    if production is None:
        return "modelyard train"
    return "modelyard monitor" if is_watched else "modelyard score"
