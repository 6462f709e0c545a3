"""Where the winner fails: segments, fairness, confusion, and the worst mistakes with their reasons."""

import itertools
import math

from modelyard.evaluation.page.answer import compact_interval, judged_rows
from modelyard.evaluation.page.fairness import fairness_blocks, pair_blocks
from modelyard.evaluation.page.weaknesses import error_blocks, slice_blocks
from modelyard.evaluation.records import Evaluation, RowExplanation, SegmentScore
from modelyard.evaluation.systems import WINNER
from modelyard.problem import Task, metric_spec
from modelyard.report import (
    Block,
    Details,
    Prose,
    Section,
    Table,
    format_number,
    format_percent,
    interval_chart,
    matrix_chart,
)

__all__ = ["explanation_rows", "failures_section"]

_REASONS_SHOWN = 4
_RATES = (
    "In the tables, **called so** is the share called positive, **found** the share of the real positives called so, and "
    "**false alarms** the share of the real negatives called so."
)


def failures_section(evaluation: Evaluation) -> Section:
    """Segments first: an average hides whom the model serves badly."""
    blocks: list[Block] = []
    if evaluation.task is Task.BINARY and evaluation.segments:
        blocks.append(Prose(_RATES))
    for column, items in itertools.groupby(evaluation.segments, key=lambda item: item.column):
        blocks += _segment_blocks(evaluation, column, list(items))
    blocks += fairness_blocks(evaluation)
    blocks += pair_blocks(evaluation)
    blocks += slice_blocks(evaluation)
    if evaluation.confusion:
        caption = f"On {judged_rows(evaluation)}; shares are of the actual class."
        chart = matrix_chart(
            evaluation.classes, evaluation.classes, evaluation.confusion, title="Actual and decided classes"
        )
        blocks.append(chart.with_caption(caption))
    mistakes = [item for item in evaluation.explanations if item.kind == "mistake"]
    if mistakes:
        blocks.append(
            explanation_rows(evaluation, mistakes, "The worst mistakes on held-out rows, and what led to them.")
        )
    blocks += error_blocks(evaluation)
    return Section("Where does it fail?", tuple(blocks), _lead(evaluation))


def _lead(evaluation: Evaluation) -> str:
    weak = [finding for finding in evaluation.findings if finding.id == "weak-segment"]
    if not evaluation.segments:
        return "No segments are declared: name columns under `segments` to see whom the model serves badly."
    judged = sum(not item.note for item in evaluation.segments)
    if not weak:
        return f"None of the {judged} segments that are large enough to judge is clearly worse than the average."
    named = "; ".join(f"{finding.subject} = {finding.evidence['value']}" for finding in weak[:4])
    more = f" and {len(weak) - 4} more" if len(weak) > 4 else ""
    verb = "is" if len(weak) == 1 else "are"
    return f"{len(weak)} of {judged} segments {verb} clearly worse than the average: {named}{more}."


def _segment_blocks(evaluation: Evaluation, column: str, items: list[SegmentScore]) -> list[Block]:
    title = metric_spec(evaluation.metric).title
    winner = evaluation.scores_of(WINNER)
    overall = winner.metric(evaluation.metric) if winner else None
    known = [item for item in items if item.score is not None]
    blocks: list[Block] = []
    if known:
        chart = interval_chart(
            [f"{item.value} ({item.rows:,}{' *' if item.note else ''})" for item in known],
            [item.score or 0.0 for item in known],
            [math.nan if item.low is None else item.low for item in known],
            [math.nan if item.high is None else item.high for item in known],
            title=f"{title} by {column}",
            reference=overall.value if overall else None,
        )
        mark = " * too few rows, or too few of the rarer class: mostly chance." if any(i.note for i in known) else ""
        protected = " Declared as protected." if items[0].protected else ""
        blocks.append(chart.with_caption(f"Rows in brackets; the dashed line is the average.{protected}{mark}"))
    table = _segment_table(evaluation, column, items)
    return [*blocks, table if items[0].protected or not known else Details(f"{column}: figures", (table,))]


def _segment_table(evaluation: Evaluation, column: str, items: list[SegmentScore]) -> Table:
    """The figures by segment; binary problems show the rates that fairness measures compare."""
    binary = evaluation.task is Task.BINARY
    base = {Task.BINARY: ("positives",), Task.REGRESSION: ("mean target",)}.get(evaluation.task, ())
    rates = ("called so", "found", "false alarms") if binary else ()
    notes = ("note",) if any(item.note for item in items) else ()
    columns = (column, "rows", metric_spec(evaluation.metric).title.split(" (")[0], *base, *rates, *notes)
    rows = tuple(_segment_row(item, len(base), len(rates), len(notes)) for item in items)
    return Table(columns, rows, "", tuple(range(1, len(columns) - len(notes))))


def _segment_row(item: SegmentScore, base: int, rates: int, notes: int) -> tuple[str, ...]:
    base_rate = format_percent(item.base_rate) if rates else format_number(item.base_rate)
    shares = (item.selection_rate, item.true_positive_rate, item.false_positive_rate)
    return (
        item.value,
        f"{item.rows:,}",
        compact_interval(item.score, item.low, item.high),
        *(base_rate,) * base,
        *(format_percent(share) for share in shares[:rates]),
        *(item.note,) * notes,
    )


def explanation_rows(evaluation: Evaluation, items: list[RowExplanation], caption: str) -> Table:
    """One row per explained prediction: what it was, what was true, and the columns that moved it most."""
    scale = items[0].scale
    unit = "" if scale == "value" else f" (in {scale})"
    rows = tuple(
        (
            item.row_id,
            format_number(item.prediction) if evaluation.task is Task.REGRESSION else _of_class(item),
            item.actual,
            "; ".join(
                f"{part.feature} = {part.value} ({part.amount:+.3g})" for part in item.contributions[:_REASONS_SHOWN]
            ),
        )
        for item in items
    )
    return Table(("row", "predicted", "actual", f"what moved it most{unit}"), rows, caption)


def _of_class(item: RowExplanation) -> str:
    return f"{item.explained_class}: {format_percent(item.prediction)}"
