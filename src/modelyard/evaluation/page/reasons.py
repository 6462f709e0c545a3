"""What the winner looks at: columns overall, and single predictions."""

from modelyard.evaluation.page.failures import explanation_rows
from modelyard.evaluation.records import Evaluation
from modelyard.problem import metric_spec
from modelyard.report import Block, Details, Section, Table, bar_chart, format_number

__all__ = ["reasons_section"]

_COLUMNS_SHOWN = 15


def reasons_section(evaluation: Evaluation) -> Section | None:
    """Importance by shuffling, and the most certain predictions with their reasons."""
    blocks: list[Block] = []
    shown = evaluation.importance[:_COLUMNS_SHOWN]
    title = metric_spec(evaluation.metric).title
    if shown:
        chart = bar_chart(
            [item.feature for item in shown],
            [item.drop for item in shown],
            low=[item.drop - item.sd for item in shown],
            high=[item.drop + item.sd for item in shown],
            title=f"Loss of {title} when a column is shuffled",
        )
        blocks.append(
            chart.with_caption(
                "Mean and standard deviation of five shuffles of held-out rows. Columns that repeat each other share "
                "their importance."
            )
        )
        rest = evaluation.importance[_COLUMNS_SHOWN:]
        if rest:
            rows = tuple((item.feature, format_number(item.drop), format_number(item.sd)) for item in rest)
            blocks.append(Details(f"{len(rest)} more columns", (Table(("column", "loss", "± sd"), rows, "", (1, 2)),)))
    certain = [item for item in evaluation.explanations if item.kind != "mistake"]
    if certain:
        blocks.append(
            explanation_rows(evaluation, certain, "The highest and the lowest predictions, and what led to them.")
        )
    if not blocks:
        return None
    useful = [f"`{item.feature}`" for item in shown if item.drop > 2 * item.sd][:3]
    lead = f"It relies most on {', '.join(useful)}." if useful else "No single column matters beyond chance."
    return Section("What does it look at?", tuple(blocks), lead)
