"""Whether it lasts: the primary metric by period."""

import math

from modelyard.evaluation.page.answer import compact_interval, judged_rows
from modelyard.evaluation.periods import Stability
from modelyard.evaluation.records import Evaluation
from modelyard.evaluation.systems import WINNER
from modelyard.problem import metric_spec
from modelyard.report import Details, Section, Series, Table, format_number, line_chart

__all__ = ["periods_section"]


def periods_section(evaluation: Evaluation) -> Section | None:
    """The trend in a sentence, the periods as a line with a band."""
    stability = evaluation.stability
    if stability is None:
        return None
    title = metric_spec(stability.metric).title
    winner = evaluation.scores_of(WINNER)
    overall = winner.metric(stability.metric) if winner else None
    ends = [
        [math.nan if value is None else value for value in (period.score, period.low, period.high)]
        for period in stability.periods
    ]
    scores, low, high = ([item[place] for item in ends] for place in range(3))
    chart = line_chart(
        [Series("winner", list(range(len(ends))), scores, low, high)],
        title=f"{title} by {stability.unit} of {stability.column}",
        x_label=stability.unit,
        y_label=title,
        reference=overall.value if overall else None,
        x_names=[period.name for period in stability.periods],
    ).with_caption(f"On {judged_rows(evaluation)}; the dashed line is the average, the band the intervals.")
    rows = tuple(
        (period.name, f"{period.rows:,}", compact_interval(period.score, period.low, period.high), period.note)
        for period in stability.periods
    )
    table = Table((stability.unit, "rows", title.split(" (")[0], "note"), rows, "", (1, 2))
    return Section("Does it last?", (chart, Details("Periods in figures", (table,))), _lead(stability, title))


def _lead(stability: Stability, title: str) -> str:
    count = f"{len(stability.periods)} {stability.unit}s"
    if stability.trend is None or stability.p_value is None:
        return f"Over {count} no trend of {title} can be told."
    size = f"{format_number(abs(float(f'{stability.trend:.2g}')))} a {stability.unit}"
    chance = f"chance {stability.p_value:.2g}"
    if stability.direction == "unclear":
        return (
            f"Over {count} {title} shows no trend beyond chance ({stability.trend:+.2g} a {stability.unit}, {chance})."
        )
    turn = "**gets worse**" if stability.direction == "worse" else "gets better"
    return f"Over {count} {title} {turn} by {size} ({chance})."
