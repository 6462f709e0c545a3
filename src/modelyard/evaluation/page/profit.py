"""Money by threshold, and the prices at which the gain is gone."""

from modelyard.evaluation.money import format_amount
from modelyard.evaluation.page.answer import judged_rows
from modelyard.evaluation.records import Evaluation
from modelyard.evaluation.worth import ProfitCurve
from modelyard.report import Block, Prose, Series, format_percent, line_chart

__all__ = ["profit_blocks"]


def profit_blocks(evaluation: Evaluation) -> list[Block]:
    """The curve with its band, and in words where it pays and until which prices."""
    curve = evaluation.profit
    if curve is None:
        return []
    lines = [Series("winner", curve.thresholds, curve.values, curve.low, curve.high)]
    if curve.existing is not None and curve.existing_low is not None and curve.existing_high is not None:
        ends = (curve.thresholds[0], curve.thresholds[-1])
        today = [(value,) * 2 for value in (curve.existing, curve.existing_low, curve.existing_high)]
        lines.append(Series("existing system", ends, *today))
    chart = line_chart(
        lines,
        title=f"Gain over acting on nobody, {curve.currency} {curve.unit}",
        x_label="threshold",
        y_label=f"{curve.currency} {curve.unit}",
        reference=0.0,
    ).with_caption(
        f"On {judged_rows(evaluation)}, with {100 * (evaluation.confidence if evaluation.test else 0.95):.3g} % intervals at "
        f"each threshold; the dashed line is acting on nobody. In use is {curve.chosen:.3f}, which acts on "
        f"{format_percent(curve.shares[curve.thresholds.index(curve.chosen)])} of the rows; acting on everybody gives "
        f"{format_amount(curve.everybody, curve.currency)}."
    )
    return [chart, Prose(_words(curve))]


def _words(curve: ProfitCurve) -> str:
    against = "today's process" if curve.existing is not None else "doing nothing"
    if curve.pays_from is None or curve.pays_to is None:
        return f"**At the threshold in use it does not pay** against {against} on these rows."
    where = f"It pays against {against} at thresholds from **{curve.pays_from:.3f} to {curve.pays_to:.3f}**."
    limits = [
        f"`costs.{item.price}` would have to be {format_amount(item.limit, curve.currency)} instead of "
        f"{format_amount(item.declared, curve.currency)}"
        for item in curve.break_even
    ]
    if not limits:
        return where
    return f"{where} The gain is gone, at the threshold in use and all else as declared, where {', or '.join(limits)}."
