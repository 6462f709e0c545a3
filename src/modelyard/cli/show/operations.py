"""Views of a model at work: batch scoring, monitoring, retraining."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, findings_view, headline, hint, link, plain_table, stack
from modelyard.governance import Alert
from modelyard.monitoring import MonitorReport, Verdict
from modelyard.problem.address import is_url
from modelyard.retraining import Decision
from modelyard.serving import BatchReport

__all__ = ["show_batch", "show_decision", "show_monitoring"]

_VERDICT_STYLES = {
    Verdict.QUIET: "bold green",
    Verdict.WATCH: "bold yellow",
    Verdict.ALARM: "bold red",
    Verdict.NO_DATA: "bold yellow",
    Verdict.WAITING: "bold cyan",
}
_MOST_EVIDENCE = 3


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
    diagnosis = report.diagnosis
    evidence = " ".join(diagnosis.evidence[:_MOST_EVIDENCE])
    windows = f"{counted(len(report.judged_windows), 'window')} judged, {counted(report.rows, 'prediction')}"
    return stack(
        Text.assemble(
            ("Monitoring: ", "bold"), (report.verdict.value, _VERDICT_STYLES[report.verdict]), (f"  {windows}", "dim")
        ),
        facts((("cause", diagnosis.cause.value), ("action", diagnosis.action.value), ("evidence", evidence or "–"))),
        findings_view(report.findings, most=6),
        hint(f"modelyard alerts   {counted(len(alerts), 'alert')} open") if alerts else None,
        hint(f"{counted(waiting, 'message')} not delivered yet; the next run tries again") if waiting else None,
        link("report", page),
    )


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
        table,
        hint(f"Somebody else: {step}") if step else None,
    )
