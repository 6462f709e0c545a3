"""The root-cause card of the monitoring page: verdict, action and gain in words, every test in a small table."""

from modelyard.core import Finding, Severity
from modelyard.monitoring.causes import Cause, Diagnosis, ExpectedGain, Segment
from modelyard.problem import metric_spec
from modelyard.report import Block, Prose, Table, format_number, format_percent, format_range

__all__ = ["cause_card", "cause_finding", "gain_words", "segment_words"]


def cause_card(diagnosis: Diagnosis) -> tuple[Block, ...]:
    """What the diagnosis says; nothing if there is nothing to explain, and nothing that cannot be known."""
    if diagnosis.verdict is Cause.NOTHING and not diagnosis.not_known:
        return ()
    sure = f" ({format_percent(diagnosis.confidence, 0)} sure)" if diagnosis.confidence is not None else ""
    parts = [f"**Likely cause: {diagnosis.verdict.words}**{sure}. What to do: {diagnosis.action.words}."]
    if diagnosis.expected_gain is not None:
        parts.append(gain_words(diagnosis.expected_gain))
    if diagnosis.segments:
        parts.append("\n".join(f"- {segment_words(segment)}" for segment in diagnosis.segments))
    if diagnosis.not_known:
        parts.append(diagnosis.not_known)
    if diagnosis.labels is not None:
        parts.append(f"Labels: {diagnosis.labels.why}")
    blocks: tuple[Block, ...] = (Prose("\n\n".join(parts)),)
    return (*blocks, _evidence_table(diagnosis)) if diagnosis.evidence else blocks


def _evidence_table(diagnosis: Diagnosis) -> Table:
    rows = tuple(
        (
            one.test,
            format_number(one.value),
            format_number(one.threshold),
            "yes" if one.found else "no",
            one.says,
        )
        for one in diagnosis.evidence
    )
    return Table(
        ("Test", "Number", "Threshold", "Found", "What it says"), rows, "What was tested, in this order", (1, 2)
    )


def gain_words(gain: ExpectedGain) -> str:
    """What the action would gain, in one sentence."""
    title = metric_spec(gain.metric).title
    verb = "Recalibrating" if gain.action.value == "recalibrate" else "Retraining"
    return (
        f"{verb} is expected to gain {format_number(gain.gain)} {title} ({format_range(gain.low, gain.high)}): from "
        f"{format_number(gain.before)} to {format_number(gain.after)} on {gain.rows:,} later labelled rows, learnt from "
        f"{gain.learnt_from:,} earlier ones."
    )


def segment_words(segment: Segment) -> str:
    """Where it sits, in one sentence."""
    size = f"{segment.rows:,} rows, {format_percent(segment.share)}"
    if segment.kind == "shift":
        return f"{segment.name}: now {format_percent(segment.now)} of the rows, in training {format_percent(segment.before)}."
    return (
        f"{segment.name} ({size}): loss beyond what was expected {format_number(segment.now)} a row, elsewhere "
        f"{format_number(segment.before)}."
    )


def cause_finding(diagnosis: Diagnosis, *, lost: bool) -> Finding | None:
    """A warning if labels show a changed relation or level that the primary metric does not feel yet; else None."""
    if lost or diagnosis.verdict not in (Cause.CONCEPT, Cause.PRIOR, Cause.COVARIATE):
        return None
    shown = next((one for one in reversed(diagnosis.evidence) if one.found), diagnosis.evidence[0])
    return Finding(
        diagnosis.verdict.value.replace("_", "-"),
        Severity.WARNING,
        "outcomes",
        f"The primary metric has not fallen, but labels show a {diagnosis.verdict.words}. {shown.says}",
        "Decisions at a threshold, and money, feel a wrong probability before a ranking does.",
        f"What to do: {diagnosis.action.words}.",
        {one.test: one.value for one in diagnosis.evidence},
        "M4",
    )
