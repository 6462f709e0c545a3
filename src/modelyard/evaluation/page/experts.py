"""The winner beside experts: who is right more often, and how far they agree."""

from modelyard.evaluation.experts.records import ExpertComparison, ExpertScore
from modelyard.evaluation.page.answer import compact_interval
from modelyard.problem import metric_spec
from modelyard.report import Block, Details, Section, Table, format_number

__all__ = ["experts_section"]

_VERDICTS = {"better": "the winner is better", "worse": "the winner is worse", "inconclusive": "all is within noise"}

_PAIRED = ("alone right", "chance")


def experts_section(found: ExpertComparison | None) -> Section | None:
    """A section only if experts were asked."""
    if found is None:
        return None
    blocks: list[Block] = []
    if found.scores:
        title = metric_spec(found.scores[0].metric).title
        rows = tuple(_row(score) for score in found.scores)
        caption = (
            f"{title} on the rows that both answered. The difference is the winner's gain, with its paired interval; alone "
            "right are expert / winner, and chance is McNemar's exact test of these two numbers."
        )
        currency = found.scores[0].currency
        worth = (f"worth more, {currency} a case",) if currency else ()
        columns = ("expert", "rows", "expert", "winner", "difference", *worth, *_PAIRED)
        if currency:
            caption += " Whose decisions are worth more decides: the winner's threshold follows from the prices."
        blocks.append(Table(columns, rows, caption, tuple(range(1, len(columns)))))
    if found.agreements:
        pairs = tuple(
            (item.first, item.second, f"{item.rows:,}", compact_interval(item.kappa, item.low, item.high))
            for item in found.agreements
        )
        table = Table(("first", "second", "rows", "kappa"), pairs, "Agreement beyond chance (Cohen's kappa).", (2, 3))
        blocks.append(Details("How far experts and winner agree", (table,)))
    return Section("And the experts?", tuple(blocks), _lead(found))


def _row(score: ExpertScore) -> tuple[str, ...]:
    return (
        score.expert,
        f"{score.rows:,}",
        format_number(score.expert_figure),
        format_number(score.winner_figure),
        compact_interval(score.difference, score.low, score.high),
        *((compact_interval(score.gain, score.gain_low, score.gain_high),) if score.currency else ()),
        f"{format_number(score.only_expert)} / {format_number(score.only_winner)}",
        f"{score.p_value:.2g}",
    )


def _lead(found: ExpertComparison) -> str:
    joined = f"{found.joined:,} of the {found.answered:,} rows in {found.source} are rows of the {found.part} part"
    if not found.scores:
        return f"{joined}, so nothing can be compared."
    first = found.scores[0]
    worth = (
        ""
        if first.gain is None
        else f", {compact_interval(first.gain, first.gain_low, first.gain_high)} {first.currency} a case"
    )
    return (
        f"Against {first.expert}, {_VERDICTS[first.verdict]}{worth}. {metric_spec(first.metric).title} is "
        f"{format_number(first.winner_figure)} against {format_number(first.expert_figure)} ({joined})."
    )
