"""Views of a model at work: batch scoring, monitoring, retraining."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, findings_view, headline, hint, link, number, plain_table, stack
from modelyard.governance import Alert
from modelyard.monitoring import Diagnosis, MonitorReport, Verdict
from modelyard.monitoring.cause_card import gain_words, segment_words
from modelyard.problem.address import is_url
from modelyard.report import format_percent
from modelyard.retraining import Attempt, Decision
from modelyard.serving import BatchReport

__all__ = ["show_attempt", "show_batch", "show_decision", "show_monitoring"]

_VERDICT_STYLES = {
    Verdict.QUIET: "bold green",
    Verdict.WATCH: "bold yellow",
    Verdict.ALARM: "bold red",
    Verdict.NO_DATA: "bold yellow",
    Verdict.WAITING: "bold cyan",
}
_MOST_EVIDENCE = 6


def show_batch(report: BatchReport) -> RenderableType:
    """How many rows were scored, flagged and set aside."""
    rate = max(report.scored - report.resumed, 0) / report.seconds if report.seconds > 0 else 0.0
    aside = f"{report.quarantined:,} set aside" if report.quarantined else "none set aside"
    earlier = f", {report.resumed:,} of them by an earlier attempt" if report.resumed else ""
    return stack(
        headline(
            f"{report.scored:,} of {report.rows:,} rows scored",
            f"{aside}, {report.flagged:,} flagged, {rate:,.0f} rows/s{earlier}",
        ),
        _place("scores", report.destination),
        _place("aside", report.quarantine) if report.quarantine else None,
        *(hint(note) for note in report.notes if note.startswith("half-done")),
    )


def _place(name: str, where: str) -> RenderableType:
    """A file as a link, a table of a database in words."""
    return Text.assemble((f"{name:<11} ", "dim"), where) if is_url(where) else link(name, Path(where))


def show_monitoring(
    report: MonitorReport, page: Path, alerts: Sequence[Alert] = (), *, waiting: int = 0
) -> RenderableType:
    """The verdict, the likely cause with its evidence, the findings, and the alerts that are open."""
    to_label = page.with_name("rows_to_label.csv")
    windows = f"{counted(len(report.judged_windows), 'window')} judged, {counted(report.rows, 'prediction')}"
    return stack(
        Text.assemble(
            ("Monitoring: ", "bold"), (report.verdict.value, _VERDICT_STYLES[report.verdict]), (f"  {windows}", "dim")
        ),
        *_cause(report.diagnosis),
        _answers(report),
        findings_view(report.findings, most=6),
        hint(f"modelyard alerts   {counted(len(alerts), 'alert')} open") if alerts else None,
        hint(f"{counted(waiting, 'message')} not delivered yet; the next run tries again") if waiting else None,
        link("report", page),
        hint(f"Fill in the column label, then: modelyard monitor --labels {to_label}") if to_label.is_file() else None,
    )


def _answers(report: MonitorReport) -> RenderableType | None:
    """Of anomalies the share flagged in the newest window, of clusters each one's; None for other tasks."""
    if report.flagged:
        last = report.flagged[-1]
        share = f"{format_percent(last.share, 2)} ({format_percent(last.low, 2)} to {format_percent(last.high, 2)})"
        return facts([("flagged", f"{share} of {last.name}; {format_percent(last.expected, 2)} expected")])
    if report.clusters:
        newest = [one for one in report.clusters if one.window == report.clusters[-1].window]
        rows = ((one.cluster, format_percent(one.share), format_percent(one.before)) for one in newest)
        return plain_table(("cluster", "share", "in training"), rows, numeric=(1, 2))
    return None


def _cause(diagnosis: Diagnosis) -> tuple[RenderableType, ...]:
    """Cause, action, gain and segments; then every test with its number, at most six."""
    sure = f", {diagnosis.confidence:.0%} sure" if diagnosis.confidence is not None else ""
    pairs = [("cause", f"{diagnosis.verdict.words}{sure}"), ("action", diagnosis.action.words)]
    if diagnosis.expected_gain is not None:
        pairs.append(("gain", gain_words(diagnosis.expected_gain)))
    if diagnosis.segments:
        pairs.append(("where", segment_words(diagnosis.segments[0])))
    if diagnosis.not_known:
        pairs.append(("not known", diagnosis.not_known))
    if diagnosis.labels is not None:
        pairs.append(("labels", diagnosis.labels.why))
    if not diagnosis.evidence:
        return (facts(pairs),)
    rows = ((number(one.value), number(one.threshold), one.says) for one in diagnosis.evidence[:_MOST_EVIDENCE])
    return facts(pairs), plain_table(("number", "threshold", "what was tested says"), rows, numeric=(0, 1))


def show_decision(decision: Decision) -> RenderableType:
    """The decision, and what each gate said."""
    table = plain_table(
        ("gate", "", "what was found"),
        ((gate.gate, "passed" if gate.passed else "NO", gate.detail) for gate in decision.gates),
    )
    step = f'modelyard approve {decision.challenger_version} --reason "..."' if decision.has_challenger else None
    return stack(
        headline(f"Retraining: {decision.outcome.value}.", counted(decision.rows_new, "new row")),
        Text(decision.reason),
        facts([("window", decision.window.reason)]) if decision.window is not None else None,
        table,
        hint(f"Somebody else: {step}") if step else None,
    )


def show_attempt(attempt: Attempt, *, any_trigger: bool) -> RenderableType:
    """What was pulled, what held it back, and the decision."""
    due = attempt.due
    rows = [(item.trigger, "pulled", item.because) for item in due.pulled]
    rows += [(item.guard, "holds", item.because) for item in due.held_by]
    return stack(
        headline("Retraining is due." if due.is_due else "Retraining is not due.", "" if rows else due.sentence),
        plain_table(("", "", "why"), rows) if rows else None,
        None if any_trigger else hint("modelyard.yaml: retraining.triggers   has none, so only a person asks"),
        show_decision(attempt.decision) if attempt.decision else None,
    )
