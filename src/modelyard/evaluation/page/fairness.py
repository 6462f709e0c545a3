"""Gaps between protected groups, and the primary metric by pairs of declared columns."""

import itertools

from modelyard.evaluation.page.answer import compact_interval
from modelyard.evaluation.records import Evaluation
from modelyard.problem import metric_spec
from modelyard.report import Block, Details, Table

__all__ = ["fairness_blocks", "pair_blocks"]

_BEYOND_CHANCE = 0.05


def fairness_blocks(evaluation: Evaluation) -> list[Block]:
    """One table of all measures, with the caveat of small groups."""
    gaps = evaluation.fairness
    if not gaps:
        return []
    rows = tuple(
        (
            gap.column,
            gap.measure if gap.measure != "equalised odds" else f"{gap.measure} ({gap.rate})",
            f"{gap.lowest} / {gap.highest}",
            compact_interval(gap.difference, gap.low, gap.high),
            compact_interval(gap.ratio, gap.ratio_low, gap.ratio_high),
            f"{gap.p_value:.2g}",
        )
        for gap in gaps
    )
    small = dict.fromkeys(f"{gap.column} {group}" for gap in gaps for group in gap.left_out)
    left_out = ", ".join(small)
    caveat = (
        f" Too few rows to be judged, and left out: {left_out}. Nothing is known of how these groups are treated."
        if left_out
        else ""
    )
    caption = (
        "Gaps between protected groups: the share called positive (demographic parity), the share of real positives "
        "found (equal opportunity), and the larger gap of that and of false alarms (equalised odds). Chance: how "
        f"often groups dealt out at random are as far apart; above {_BEYOND_CHANCE} a gap may be none.{caveat}"
    )
    columns = ("column", "measure", "lowest / highest", "difference", "ratio", "chance")
    return [Table(columns, rows, caption, (3, 4, 5))]


def pair_blocks(evaluation: Evaluation) -> list[Block]:
    """Pairs of declared columns, folded: a table for each."""
    title = metric_spec(evaluation.metric).title.split(" (")[0]
    tables = []
    for column, items in itertools.groupby(evaluation.pairs, key=lambda item: item.column):
        rows = tuple(
            (item.value, f"{item.rows:,}", compact_interval(item.score, item.low, item.high), item.note)
            for item in items
        )
        tables.append(Table((column, "rows", title, "note"), rows, "", (1, 2)))
    summary = "Pairs of the declared columns, of 50 rows or more"
    return [Details(summary, tuple(tables))] if tables else []
