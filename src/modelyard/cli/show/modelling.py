"""Views of the making of a model: audit, training, evaluation."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.audit import AuditReport
from modelyard.cli.show.blocks import counted, facts, findings_view, headline, hint, link, number, plain_table, stack
from modelyard.core import Severity
from modelyard.evaluation import Evaluation, MetricValue, SystemScores
from modelyard.evaluation.experts import ExpertComparison
from modelyard.problem import metric_spec
from modelyard.training import Candidate, TrainingRun
from modelyard.training.tracking import Synced

__all__ = ["show_audit", "show_evaluation", "show_sync", "show_training"]


def show_audit(report: AuditReport, page: Path) -> RenderableType:
    """How many findings of each severity, and the worst of them."""
    found = report.open_findings
    counts = {severity: sum(item.severity is severity for item in found) for severity in Severity}
    errors = counts[Severity.ERROR]
    note = f"{report.rows:,} training rows, {report.columns} columns, {len(report.checks)} checks"
    said = ", ".join(
        counted(counts[severity], noun)
        for severity, noun in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    )
    step = "Decide on each error, then: modelyard train" if errors else "modelyard train"
    return stack(
        headline(f"Audit: {said}.", note),
        findings_view(found),
        _acknowledged(report),
        _skipped(report),
        link("report", page),
        hint(step),
    )


def _acknowledged(report: AuditReport) -> Text | None:
    """Findings that somebody decided to live with, in a line each."""
    lines = [
        f"acknowledged until {decision.until} by {decision.actor}: {finding.id} {finding.subject} ({decision.reason})"
        for finding in report.findings
        if (decision := report.acknowledgement_of(finding)) is not None
    ]
    return Text("\n".join(lines), style="dim") if lines else None


def _skipped(report: AuditReport) -> Text | None:
    """Checks that could not run, gathered by their reason."""
    reasons: dict[str, list[str]] = {}
    for skipped in report.skipped:
        reasons.setdefault(skipped.reason, []).append(skipped.check)
    lines = [f"not run: {', '.join(checks)}: {reason}" for reason, checks in reasons.items()]
    return Text("\n".join(lines), style="dim") if lines else None


def show_training(run: TrainingRun) -> RenderableType:
    """The leaderboard, best first, and why the winner won."""
    spec = metric_spec(run.metric)
    done = [candidate for candidate in run.candidates if candidate.mean is not None]
    sign = -1 if spec.greater_is_better else 1
    ordered = sorted(done, key=lambda candidate: sign * (candidate.mean or 0.0))
    table = plain_table(
        ("", "candidate", spec.title, "± sd", "fit s", "1 row ms"),
        (_leaderboard_row(candidate, run.winner) for candidate in ordered),
        numeric=(2, 3, 4, 5),
    )
    failed = [item for item in run.candidates if item.mean is None and item.status not in ("left_out", "partial")]
    lost = Text("; ".join(f"{item.name}: {item.error or item.status}" for item in failed), style="yellow")
    return stack(
        headline(f"Winner: {run.winner}", f"{len(done)} candidates, {run.folds} folds, seed {run.seed}"),
        Text(run.why),
        Text(run.by_fold.sentence, style="yellow") if run.by_fold is not None and run.by_fold.unstable else None,
        Text(f"Selection: {run.selection.sentence}") if run.selection is not None else None,
        table,
        lost if failed else None,
        _divisions(run),
        _outer_parts(run),
        hint('modelyard evaluate, and at the very end: modelyard evaluate --open-test "final evaluation"'),
    )


def _divisions(run: TrainingRun) -> RenderableType | None:
    """Means of the finalists on each division into folds; None if nothing was scored again."""
    if run.repeats is None or not run.repeats.finalists:
        return None
    rows = (
        (item.name, *(number(sum(scores) / len(scores)) for scores in item.scores), number(item.mean), number(item.sd))
        for item in run.repeats.finalists
    )
    columns = ("finalist", *(f"division {place}" for place in range(1, run.repeats.divisions + 1)), "mean", "± sd")
    return plain_table(columns, rows, numeric=range(1, len(columns)))


def _outer_parts(run: TrainingRun) -> RenderableType | None:
    """What the search is worth outside of each part that it was carried out on; None if nobody asked."""
    if run.nested is None:
        return None
    title = metric_spec(run.metric).title
    rows = (
        (f"outer part {place}", part.winner or part.error, number(part.claimed), number(part.score))
        for place, part in enumerate(run.nested.parts, 1)
    )
    return plain_table(("nested", "winner there", "on its folds", f"{title} outside"), rows, numeric=(2, 3))


def show_sync(found: Synced) -> RenderableType:
    """How many runs the tracker has taken, and why the others wait."""
    taken = headline(f"{counted(len(found.sent), 'run')} sent to {found.backend}.", f"{len(found.waiting)} waiting")
    return stack(taken, Text(found.problem, style="yellow") if found.problem else None)


def _leaderboard_row(candidate: Candidate, winner: str) -> tuple[str, ...]:
    mark = "★" if candidate.name == winner else "baseline" if candidate.role == "baseline" else ""
    return (
        mark,
        candidate.name,
        number(candidate.mean),
        number(candidate.sd),
        number(candidate.fit_seconds, 2),
        number(candidate.predict_ms, 2),
    )


def show_evaluation(result: Evaluation, page: Path) -> RenderableType:
    """The figures of all systems side by side, the threshold, the money, and the findings."""
    systems = result.test or result.validation
    where = f"test rows, opening number {result.openings}" if result.test else "validation rows"
    threshold = result.threshold
    return stack(
        headline(f"{result.winner}: {_primary(systems, result)}", where),
        Text(result.money.sentence, style="bold green") if result.money else None,
        _systems_table(systems),
        facts((("threshold", f"{threshold.value:.3f}  {threshold.reason}"),)) if threshold else None,
        facts((("against experts", _beside_experts(result.experts)),)) if result.experts else None,
        Text(result.regions.sentence) if result.regions and result.regions.sentence else None,
        Text(result.quantiles.sentence) if result.quantiles and result.quantiles.sentence else None,
        Text(result.more_rows) if result.more_rows else None,
        findings_view(result.findings),
        link("report", page),
        hint("modelyard package" if result.test else 'modelyard evaluate --open-test "final evaluation"'),
    )


def _beside_experts(found: ExpertComparison) -> str:
    """The first of the experts, who stands for all of them, beside the winner."""
    joined = f"{found.joined:,} rows of {found.part}"
    if not found.scores:
        return f"{joined} joined; nothing can be compared"
    first = found.scores[0]
    title = metric_spec(first.metric).title
    return f"{title}: {first.expert} {number(first.expert_figure)}, winner {number(first.winner_figure)}; {joined}"


def _primary(systems: tuple[SystemScores, ...], result: Evaluation) -> str:
    """The primary metric of the winner with its interval."""
    value = systems[-1].metric(result.metric) if systems else None
    return f"{metric_spec(result.metric).title} {_figure(value)}"


def _figure(value: MetricValue | None) -> str:
    if value is None or value.value is None:
        return "–"
    if value.low is None or value.high is None:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} ({value.low:.4f} to {value.high:.4f})"


def _systems_table(systems: tuple[SystemScores, ...]) -> RenderableType:
    """One row a metric, one column a system; the winner stands last, with intervals."""
    if not systems:
        return Text("No figures.", style="dim")
    names = [value.name for value in systems[-1].metrics]
    rows = []
    for name in names:
        cells = [number(found.value) if (found := system.metric(name)) else "–" for system in systems[:-1]]
        rows.append((metric_spec(name).title, *cells, _figure(systems[-1].metric(name))))
    columns = ("metric", *(system.name for system in systems))
    return plain_table(columns, rows, numeric=range(1, len(columns)))
