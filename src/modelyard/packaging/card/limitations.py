"""Limits and failure modes, gathered from everything that was found on the way."""

from collections.abc import Iterable, Iterator, Sequence

from modelyard.core import Finding, Severity
from modelyard.evaluation.records import Evaluation, SegmentScore
from modelyard.packaging.card.record import Disparity, Limitation

__all__ = ["disparities_of", "limitations_of", "limits_of_figures"]

_SMALL_GROUP = 30
_RATES = {
    "share called positive": "selection_rate",
    "true positive rate": "true_positive_rate",
    "false positive rate": "false_positive_rate",
}


def limitations_of(evaluation: Evaluation, found: Sequence[tuple[str, Iterable[Finding]]]) -> tuple[Limitation, ...]:
    """Limits, gravest first: findings that want a decision, and what always holds.

    Parameters
    ----------
    evaluation
        Tells whether the test part is still sealed.
    found
        Findings by their source, such as ``("audit", findings)``; those of severity ``info`` are left out.
    """
    return limits_of_figures(evaluation.measured_on, found, opened=bool(evaluation.test))


def limits_of_figures(
    measured_on: str, found: Sequence[tuple[str, Iterable[Finding]]], *, opened: bool
) -> tuple[Limitation, ...]:
    """As :func:`limitations_of`, for figures that no evaluation of a target gave.

    Parameters
    ----------
    measured_on
        The part that figures come from.
    opened
        Whether some come from the sealed rows.
    """
    limits = [*_from_findings(found), *_always(measured_on, opened=opened)]
    return tuple(sorted(limits, key=lambda limit: -limit.severity.rank))


def _from_findings(found: Sequence[tuple[str, Iterable[Finding]]]) -> Iterator[Limitation]:
    for source, findings in found:
        for finding in findings:
            if finding.severity is not Severity.INFO:
                statement = f"{finding.message} {finding.why}".strip()
                yield Limitation(source, finding.severity, finding.subject, statement, finding.action)


def _always(measured_on: str, *, opened: bool) -> Iterator[Limitation]:
    """What holds for every model of this kind."""
    if not opened:
        yield Limitation(
            "evaluation",
            Severity.WARNING,
            "test part",
            f"The sealed test part has not been opened; all figures are from the {measured_on} part, "
            "on which choices were made, and are optimistic.",
            "Open the test part once, before the model decides anything.",
        )
    yield Limitation(
        "method",
        Severity.INFO,
        "",
        "The model has seen the past only. Values outside the training range and new categories are scored and "
        "flagged, not understood.",
        "Watch the flags in the prediction log, and the drift reports.",
    )
    yield Limitation(
        "method",
        Severity.INFO,
        "",
        "It predicts; it does not say what would happen if a feature were changed.",
        "Test interventions by experiment.",
    )


def disparities_of(segments: Iterable[SegmentScore]) -> tuple[Disparity, ...]:
    """For every protected column and rate, the gap between its groups; groups below 30 rows are left out."""
    groups: dict[str, list[SegmentScore]] = {}
    for segment in segments:
        if segment.protected and segment.rows >= _SMALL_GROUP:
            groups.setdefault(segment.column, []).append(segment)
    return tuple(gap for column, members in groups.items() for gap in _gaps(column, members))


def _gaps(column: str, members: Sequence[SegmentScore]) -> Iterator[Disparity]:
    for measure, field in _RATES.items():
        rated = [(getattr(member, field), member.value) for member in members if getattr(member, field) is not None]
        if len(rated) > 1:
            low, high = min(rated), max(rated)
            yield Disparity(column, measure, high[0] - low[0], low[1], high[1])
    scored = [(member.score, member.value) for member in members if member.score is not None]
    if len(scored) > 1:
        low, high = min(scored), max(scored)
        yield Disparity(column, members[0].metric, high[0] - low[0], low[1], high[1])
