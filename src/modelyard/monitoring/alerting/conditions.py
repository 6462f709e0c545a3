"""What is wrong now: findings put together by signal and source, each with one key."""

import dataclasses
from collections.abc import Iterable, Sequence

from modelyard.core import Finding, Record, Severity
from modelyard.monitoring.alerting.kinds import kind_of
from modelyard.monitoring.alerting.recent import recent_loss
from modelyard.monitoring.alerting.sources import source_of
from modelyard.monitoring.records import MonitorReport, Verdict
from modelyard.problem import Problem

__all__ = ["Condition", "Seen", "conditions_of", "report_conditions"]

_NEED_WINDOWS = frozenset({"drift", "quality", "latency", "errors", "other", "no_data"})
_NEED_LABELS = frozenset({"performance", "labels"})
_MOST_NAMED = 3
_SCORE = "score"  # the model's own output, as the reference profile calls it

_NO_DATA = Finding(
    "no-data",
    Severity.WARNING,
    "log",
    "There are no predictions to judge.",
    "No data is not good news: a log that is not written looks like a model without faults.",
    "Check that requests reach the model, and that the log is written.",
    row="M1",
)


@dataclasses.dataclass(frozen=True)
class Condition(Record):
    """What is seen under one key.

    Parameters
    ----------
    key
        ``model/signal/source``.
    kind, signal, source
        Its rule, its finding, its source.
    severity
        Of the worst finding.
    title
        For people, in a few words.
    subjects
        Columns or metrics, the worst first.
    message, action
        Of the worst finding.
    """

    key: str
    kind: str
    signal: str
    source: str
    severity: Severity
    title: str
    subjects: tuple[str, ...]
    message: str
    action: str


@dataclasses.dataclass(frozen=True)
class Seen:
    """What one look at a model showed.

    Parameters
    ----------
    model
        Which one.
    versions
        Of the model, as far as known.
    window
        Name of the newest window that was judged; a second look at the same one adds nothing to what has lasted.
    conditions
        What is wrong.
    judged
        Kinds of which an absence means that nothing is wrong. Drift that could not be judged has not ended.
    advice
        What the likely cause asks for; empty for nothing.
    """

    model: str
    versions: tuple[str, ...]
    window: str
    conditions: tuple[Condition, ...]
    judged: frozenset[str]
    advice: str = ""


def report_conditions(report: MonitorReport, problem: Problem) -> Seen:
    """What a monitoring report shows, by the project's rules."""
    loss = recent_loss(report, problem)
    findings = [*report.findings, *([loss] if loss else []), *([_NO_DATA] if report.verdict is Verdict.NO_DATA else [])]
    columns = {trail.feature for trail in report.trails} | {one.feature for one in report.quality}
    columns |= {finding.subject for finding in findings if finding.id == "feature-not-logged"}
    judged: frozenset[str] = frozenset()
    if report.judged_windows:
        judged |= _NEED_WINDOWS
    if any(window.value is not None and not window.note for window in report.performance):
        judged |= _NEED_LABELS
    windows = report.judged_windows
    return Seen(
        model=report.model,
        versions=report.versions,
        window=windows[-1].name if windows else "",
        conditions=conditions_of(findings, problem, columns=frozenset(columns - {_SCORE})),
        judged=judged,
        advice=report.diagnosis.action.value if report.diagnosis.evidence else "",
    )


def conditions_of(
    findings: Iterable[Finding], problem: Problem, *, columns: frozenset[str] = frozenset()
) -> tuple[Condition, ...]:
    """Findings that a rule lets through, one condition for each signal and source.

    Parameters
    ----------
    findings
        Of monitoring, of an audit, of a server: anything that says what is wrong.
    problem
        Has the rules and the sources.
    columns
        Subjects that are columns of the data.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        least = problem.alerts.rules[kind_of(finding)].severity
        if least == "off" or finding.severity.rank < Severity(least).rank:
            continue
        source = source_of(finding.subject, problem, is_column=finding.subject in columns)
        groups.setdefault(f"{problem.name}/{finding.id}/{source}", []).append(finding)
    return tuple(_condition(key, group) for key, group in groups.items())


def _condition(key: str, findings: Sequence[Finding]) -> Condition:
    ordered = sorted(findings, key=lambda finding: -finding.severity.rank)
    worst = ordered[0]
    _, signal, source = key.split("/")
    subjects = tuple(dict.fromkeys(finding.subject for finding in ordered))
    title = f"{signal.replace('-', ' ')}: {_named(subjects)}"
    return Condition(key, kind_of(worst), signal, source, worst.severity, title, subjects, worst.message, worst.action)


def _named(subjects: Sequence[str]) -> str:
    """The first of the subjects, and how many more there are."""
    more = len(subjects) - _MOST_NAMED
    return ", ".join(subjects[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
