"""What the winner looks at: columns overall, their directions, and single predictions."""

from modelyard.evaluation.page.failures import explanation_rows
from modelyard.evaluation.page.trust import trust_blocks
from modelyard.evaluation.reasons.records import Dependence, ReasonSummary
from modelyard.evaluation.records import Evaluation
from modelyard.problem import metric_spec
from modelyard.report import (
    Block,
    Details,
    Section,
    Table,
    bar_chart,
    format_number,
    format_percent,
    scatter_chart,
)

__all__ = ["reasons_section"]

_COLUMNS_SHOWN = 15
_SAME = 1e-3


def reasons_section(evaluation: Evaluation) -> Section | None:
    """Importance by shuffling, contributions with their direction, and the most certain predictions with their reasons."""
    blocks = [*_importance(evaluation)]
    summary = evaluation.reasons.summary if evaluation.reasons else None
    if summary is not None:
        blocks += _contributions(summary)
    certain = [item for item in evaluation.explanations if item.kind != "mistake"]
    if certain:
        blocks.append(
            explanation_rows(evaluation, certain, "The highest and the lowest predictions, and what led to them.")
        )
    if evaluation.reasons is not None:
        blocks += trust_blocks(evaluation.reasons)
    return Section("What does it look at?", tuple(blocks), _lead(evaluation)) if blocks else None


def _lead(evaluation: Evaluation) -> str:
    """The columns that matter beyond chance, each with its direction if it has one."""
    useful = [item.feature for item in evaluation.importance[:_COLUMNS_SHOWN] if item.drop > 2 * item.sd][:3]
    if not useful:
        return "No single column matters beyond chance."
    summary = evaluation.reasons.summary if evaluation.reasons else None
    ways = {effect.feature: effect.words for effect in summary.effects if effect.trend} if summary else {}
    named = [f"`{name}` ({ways[name]})" if ways.get(name, "").startswith("higher") else f"`{name}`" for name in useful]
    return f"It relies most on {', '.join(named)}."


def _importance(evaluation: Evaluation) -> list[Block]:
    shown, rest = evaluation.importance[:_COLUMNS_SHOWN], evaluation.importance[_COLUMNS_SHOWN:]
    if not shown:
        return []
    chart = bar_chart(
        [item.feature for item in shown],
        [item.drop for item in shown],
        low=[item.drop - item.sd for item in shown],
        high=[item.drop + item.sd for item in shown],
        title=f"Loss of {metric_spec(evaluation.metric).title} when a column is shuffled",
    )
    blocks: list[Block] = [
        chart.with_caption(
            "Mean and standard deviation of five shuffles of held-out rows. Columns that repeat each other share "
            "their importance."
        )
    ]
    if rest:
        rows = tuple((item.feature, format_number(item.drop), format_number(item.sd)) for item in rest)
        blocks.append(Details(f"{len(rest)} more columns", (Table(("column", "loss", "± sd"), rows, "", (1, 2)),)))
    return blocks


def _contributions(summary: ReasonSummary) -> list[Block]:
    """How much each column moves predictions, which way, and how that depends on its value."""
    unit = "" if summary.scale == "value" else f", in {summary.scale}"
    rows = tuple(
        (effect.feature, format_number(effect.size), format_percent(effect.share), effect.words or "–")
        for effect in summary.effects[:_COLUMNS_SHOWN]
    )
    sums = "" if summary.gap is None else f" {_sums(summary.gap)}"
    caption = (
        f"Mean size of contributions (SHAP values{unit}) over {summary.rows:,} held-out rows, {summary.method}.{sums} "
        "They say what the model does, not what causes what."
    )
    table = Table(("column", "mean size", "share", "direction"), rows, caption, (1, 2))
    pictures = tuple(_by_value(item, unit) for item in summary.dependence)
    return [table, Details("Contributions by value", pictures)] if pictures else [table]


def _sums(gap: float) -> str:
    """What contributions add up to; a calibrated prediction is not the score that they explain."""
    if gap <= _SAME:
        return f"They add up to the predictions within {gap:.1g}."
    return f"They explain the score before it is calibrated; predictions differ from it by up to {gap:.2g}."


def _by_value(item: Dependence, unit: str) -> Block:
    title = f"What {item.feature} adds{unit}"
    if item.levels:
        labels = [f"{level} ({rows:,})" for level, rows in zip(item.levels, item.rows, strict=True)]
        return bar_chart(labels, item.amounts, title=title).with_caption("Means; rows in brackets.")
    return scatter_chart(
        item.values, item.amounts, title=title, x_label=item.feature, y_label=f"contribution{unit}", zero_line=True
    ).with_caption(f"{len(item.values)} held-out rows, a point each.")
