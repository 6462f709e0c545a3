"""The card for people: one page, rendered to Markdown and HTML from the same record."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

from modelyard.evaluation.records import MetricValue, SegmentScore, SystemScores
from modelyard.packaging.card.record import Disparity, ModelCard
from modelyard.problem import METRICS, Task
from modelyard.problem.metrics import COURSE_METRICS
from modelyard.report import (
    Block,
    Details,
    Fact,
    Facts,
    Page,
    Prose,
    Section,
    Table,
    format_number,
    format_percent,
    format_range,
    interval_chart,
)

__all__ = ["card_page"]

_MISSING = "not provided"
_MOST_FEATURES = 20


def card_page(card: ModelCard) -> Page:
    """The page of a card. Empty fields are shown as "not provided"."""
    identity = card.identity
    return Page(
        title=f"Model card: {identity.name}, version {identity.version}",
        subtitle=f"{_purpose(card)}; built {_moment(identity.created_at)}",
        sections=(
            _identity(card),
            _use(card),
            _performance(card),
            _threshold(card),
            _groups(card),
            _test_part(card),
            _limits(card),
            _data(card),
            _method(card),
            _operation(card),
            _decisions(card),
            _environment(card),
        ),
        footer=f"Made by modelyard {identity.modelyard_version} from run {identity.run_id}; card.json is the record.",
    )


def _purpose(card: ModelCard) -> str:
    """What it does, in a few words."""
    identity = card.identity
    without_target = {Task.ANOMALY.value: "Finds anomalies", Task.CLUSTERING.value: "Assigns rows to clusters"}
    verb = "Forecasts" if identity.task == Task.FORECASTING.value else "Predicts"
    return without_target.get(identity.task, f"{verb} {identity.target} ({identity.task})")


def _given(value: str) -> str:
    """The text, or that there is none."""
    return value.strip() or _MISSING


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values) or _MISSING


def _moment(moment: dt.datetime) -> str:
    """To the minute, in UTC."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _facts_table(rows: Mapping[str, str], caption: str = "") -> Table:
    return Table(("Field", "Value"), tuple(rows.items()), caption=caption)


def _identity(card: ModelCard) -> Section:
    identity = card.identity
    rows = {
        "Owner": _given(identity.owner),
        "Contact": _given(identity.contact),
        "Escalation": _listed(identity.escalation),
        "Built by": _given(identity.author),
        "Classes": ", ".join(identity.classes) or "none: a number is predicted",
        "Training run": identity.run_id,
        "Code commit": _given(identity.code_commit),
    }
    blocks: list[Block] = [_facts_table(rows)]
    if card.not_provided:
        missing = "\n".join(f"- {name}" for name in card.not_provided)
        blocks.append(Prose(f"**{len(card.not_provided)} fields that only a person can fill are open:**\n\n{missing}"))
    return Section("Who answers for it", tuple(blocks))


def _use(card: ModelCard) -> Section:
    rows = {
        "Objective": _given(card.use.objective),
        "What an answer is": card.use.decision,
        "Users": _given(card.use.users),
        "Out of scope": _given(card.use.out_of_scope),
    }
    return Section("Intended use", (_facts_table(rows),))


def _performance(card: ModelCard) -> Section:
    performance = card.performance
    measured = performance.test or performance.validation
    part = "test" if performance.test else performance.measured_on
    blocks: list[Block] = [*_leaderboard(card, measured)]
    blocks.append(_metrics_table(measured, f"All metrics on the {part} part, with intervals."))
    if performance.test:
        blocks.append(Details("Validation part", (_metrics_table(performance.validation, "Choices were made on it."),)))
    if performance.comparisons:
        blocks.append(_comparisons(card))
    if performance.guardrails:
        rows = tuple(
            (item.metric, item.bound, format_number(item.value), "kept" if item.met else "not kept")
            for item in performance.guardrails
        )
        blocks.append(Table(("Guardrail", "Bound", "Value", ""), rows, caption="Guardrails.", numeric=(2,)))
    lead = f"Confidence of the intervals: {format_percent(performance.confidence)}."
    return Section("Performance", tuple(blocks), lead=lead)


def _leaderboard(card: ModelCard, measured: tuple[SystemScores, ...]) -> tuple[Block, ...]:
    """The primary metric of all systems."""
    metric = card.performance.metric
    found = [(system.name, value) for system in measured if (value := system.metric(metric)) is not None]
    known = [(name, value) for name, value in found if value.value is not None]
    if not known:
        return ()
    chart = interval_chart(
        [name for name, _ in known],
        [_or_nan(value.value) for _, value in known],
        [_or_nan(value.low) for _, value in known],
        [_or_nan(value.high) for _, value in known],
        title=f"{_title(metric)}, {'higher' if known[0][1].greater_is_better else 'lower'} is better",
        highlight=next((place for place, (name, _) in enumerate(known) if name == "winner"), None),
    )
    return (chart,)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _title(metric: str) -> str:
    known = METRICS.get(metric) or COURSE_METRICS.get(metric)
    return known.title if known else metric


def _metrics_table(systems: tuple[SystemScores, ...], caption: str) -> Table:
    """One line per metric, one column per system."""
    names = list(dict.fromkeys(value.name for system in systems for value in system.metrics))
    rows = tuple((_title(name), *(_metric_cell(system.metric(name)) for system in systems)) for name in names)
    columns = ("Metric", *(system.name for system in systems))
    return Table(columns, rows, caption=caption, numeric=tuple(range(1, len(columns))))


def _metric_cell(value: MetricValue | None) -> str:
    if value is None or value.value is None:
        return format_number(None)
    return f"{format_number(value.value)} ({format_range(value.low, value.high)})"


def _comparisons(card: ModelCard) -> Table:
    rows = tuple(
        (
            item.against or "baseline",
            _title(item.metric),
            format_number(item.difference),
            format_range(item.low, item.high),
            item.verdict,
        )
        for item in card.performance.comparisons
    )
    columns = ("Against", "Metric", "Improvement", "Interval", "Verdict")
    return Table(columns, rows, caption="Paired comparison on the same rows.", numeric=(2, 3))


def _threshold(card: ModelCard) -> Section:
    performance = card.performance
    rows: dict[str, str] = {}
    if performance.threshold is not None:
        choice = performance.threshold
        rows["Threshold"] = f"{format_number(choice.value)} ({format_range(choice.low, choice.high)})"
        rows["Why"] = choice.reason
    priced = {name: value for name, value in performance.costs.items() if name != "currency"}
    currency = str(performance.costs.get("currency", ""))
    rows["Costs"] = (
        "; ".join(f"{name.replace('_', ' ')} {format_number(value)}" for name, value in priced.items()) + f" {currency}"
        if priced
        else _MISSING
    )
    rows["Worth"] = performance.money.sentence if performance.money else "unknown without costs"
    return Section("Decision and money", (_facts_table(rows),))


def _groups(card: ModelCard) -> Section:
    performance = card.performance
    blocks: list[Block] = []
    if performance.segments:
        blocks.append(_segments(performance.segments, _title(performance.metric)))
    if performance.disparities:
        blocks.append(_disparities(performance.disparities))
    elif not card.data.protected:
        blocks.append(Prose(f"Protected columns: {_MISSING}, so fairness between groups was not measured."))
    return Section("Groups and fairness", tuple(blocks or [Prose("No segment was measured.")]))


def _segments(segments: tuple[SegmentScore, ...], title: str) -> Table:
    rows = tuple(
        (
            segment.column + (" (protected)" if segment.protected else ""),
            segment.value,
            f"{segment.rows:,}",
            format_number(segment.score),
            format_range(segment.low, segment.high),
            format_percent(segment.selection_rate),
            format_percent(segment.true_positive_rate),
            format_percent(segment.false_positive_rate),
            segment.note,
        )
        for segment in segments
    )
    columns = ("Column", "Value", "Rows", title, "Interval", "Called positive", "TPR", "FPR", "Note")
    return Table(columns, rows, caption="By segment.", numeric=(2, 3, 4, 5, 6, 7))


def _disparities(disparities: tuple[Disparity, ...]) -> Table:
    rows = tuple(
        (item.column, _title(item.measure), format_number(item.gap), item.lowest, item.highest) for item in disparities
    )
    caption = "Largest gap between groups of 30 rows or more. A gap asks for a reason; it is no proof of unfairness."
    return Table(("Protected column", "Measure", "Gap", "Lowest", "Highest"), rows, caption=caption, numeric=(2,))


def _test_part(card: ModelCard) -> Section:
    rows = tuple((_moment(opening.at), opening.by, opening.reason) for opening in card.openings)
    sealed = Prose("The test part is still sealed; no figure on this card comes from it.")
    known: Block = Table(("When", "By", "Reason"), rows, caption="Openings.") if rows else sealed
    facts = Facts(
        (
            Fact("Rows sealed", f"{card.data.test_rows:,}"),
            Fact("Openings", str(card.openings_count), "each further one widens the intervals"),
        )
    )
    digest = Prose(f"The rows are named by their digest, `{card.data.test_digest}`.")
    return Section("The sealed test part", (facts, known, digest))


def _limits(card: ModelCard) -> Section:
    rows = tuple(
        (limit.severity.value, limit.source, limit.subject, limit.statement, limit.action) for limit in card.limitations
    )
    columns = ("Severity", "From", "About", "Limit or failure mode", "What to do")
    return Section("Limits and failure modes", (Table(columns, rows),))


def _data(card: ModelCard) -> Section:
    data = card.data
    biases = "\n".join(f"- {bias}" for bias in data.known_biases)
    parts = f"{data.train_rows:,} training, {data.validation_rows:,} validation, {data.test_rows:,} test"
    rows = {
        "Source": data.source,
        "Data set version": data.dataset_id,
        "Rows": parts,
        "Split": f"{data.split}. {data.split_reason}",
        "Collection": _given(data.collection),
        "Protected columns": _listed(data.protected),
    }
    features = tuple(
        (entry.column, entry.kind, str(len(entry.features)), entry.transformation, entry.because)
        for entry in data.features
    )
    columns = ("Column", "Kind", "Features", "Transformation", "Because")
    catalogue = Details("Feature catalogue", (Table(columns, features, numeric=(2,)),))
    known = Prose(f"**Known biases and gaps:** {_MISSING}" if not biases else f"**Known biases and gaps:**\n\n{biases}")
    return Section("Data", (_facts_table(rows), known, catalogue))


def _method(card: ModelCard) -> Section:
    method = card.method
    params = ", ".join(f"{name} {_param(value)}" for name, value in method.params.items())
    rows = {
        "Family": method.family,
        "Why it won": method.why,
        "Parameters": params or "none",
        "Features": f"{method.features:,}",
        "Validation": f"{method.folds} {method.fold_strategy} folds, seed {method.seed}".replace("  ", " "),
    }
    candidates = tuple(
        (
            line.name,
            line.role,
            format_number(line.mean),
            format_number(line.sd),
            "" if line.status == "done" else line.status,
        )
        for line in method.candidates
    )
    columns = ("Candidate", "Role", _title(method.metric), "SD over folds", "")
    blocks: list[Block] = [
        _facts_table(rows),
        Details("Candidates", (Table(columns, candidates, numeric=(2, 3)),)),
    ]
    if card.performance.importance:
        blocks.append(_importance(card))
    return Section("Method", tuple(blocks))


def _param(value: Any) -> str:
    return format_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _importance(card: ModelCard) -> Details:
    ranked = sorted(card.performance.importance, key=lambda item: -item.drop)[:_MOST_FEATURES]
    rows = tuple((item.feature, format_number(item.drop), format_number(item.sd)) for item in ranked)
    caption = f"What {_title(card.performance.metric)} loses when a column is shuffled."
    return Details("Importance", (Table(("Column", "Loss", "SD"), rows, caption=caption, numeric=(1, 2)),))


def _operation(card: ModelCard) -> Section:
    operation, measured = card.operation, card.operation.measurement
    facts = Facts(
        (
            Fact("One row, p99", f"{format_number(measured.latency_p99_ms)} ms", "within the process"),
            Fact("Rows a second", format_number(measured.throughput_per_s), "one process, in batches"),
            Fact("Memory", f"{format_number(measured.memory_mb)} MB"),
            Fact("Package", f"{format_number(operation.model_mb)} MB"),
            Fact("Cold start", f"{format_number(measured.cold_start_s)} s"),
        )
    )
    golden, table = operation.parity, operation.parity_on_table
    parity = Prose(
        f"**Serving equals training.** {golden.rows} golden rows, scored as requests, differ from the training "
        f"pipeline by at most {format_number(golden.max_abs_difference)}; {table.rows:,} rows scored as a table by at "
        f"most {format_number(table.max_abs_difference)}. Allowed: {format_number(golden.tolerance)}."
    )
    declared = {name: value for name, value in operation.constraints.items() if value is not None}
    limits = "; ".join(f"{name} {format_number(value)}" for name, value in declared.items())
    rows = {
        "Declared limits": limits or _MISSING,
        "Measured on": measured.machine,
        "Monitoring": _settings(operation.monitoring),
        "Retraining": _settings(operation.retraining),
    }
    return Section("Operation", (facts, parity, _facts_table(rows)))


def _settings(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {_param(value)}" for name, value in values.items())


def _decisions(card: ModelCard) -> Section:
    rows = tuple((_moment(note.at), note.by, note.what, note.why) for note in card.decisions)
    if not rows:
        return Section("Decisions on record", (Prose(f"Decisions: {_MISSING}."),))
    return Section("Decisions on record", (Table(("When", "By", "What", "Why"), rows),))


def _environment(card: ModelCard) -> Section:
    return Section("Environment of training", (_facts_table(dict(card.environment)),))
