"""Weaknesses that were searched for: weak slices, what the worst mistakes share, and what disturbed input does."""

from collections import Counter

from modelyard.evaluation.page.answer import compact_interval
from modelyard.evaluation.records import ErrorAnalysis, Evaluation, SharedTrait
from modelyard.problem import Task, metric_spec
from modelyard.report import Block, Details, Prose, Section, Table, format_number, format_percent

__all__ = ["error_blocks", "robustness_section", "slice_blocks"]

_ROWS_SHOWN = 20
_DISTURBANCES_SHOWN, _DISTURBANCES_LISTED = 10, 100


def slice_blocks(evaluation: Evaluation) -> list[Block]:
    """The weak slices that the search found, or that it found none."""
    search = evaluation.weak_slices
    if search is None or not search.searched:
        return []
    tried = f"Among {search.searched:,} slices by one or two columns, searched on {search.rows:,} rows of {search.part}"
    if not search.slices:
        return [Prose(f"{tried}, none is weaker than the whole beyond chance.")]
    title = metric_spec(search.metric).title.split(" (")[0]
    rows = tuple(
        (item.name, f"{item.rows:,}", compact_interval(item.score, item.low, item.high), f"{item.p_value:.2g}")
        for item in search.slices
    )
    caption = (
        f"{tried}, these are weaker than the whole ({format_number(search.score)}). Chance is corrected for the search; "
        "the figures themselves are not: expect better ones on other rows."
    )
    return [Table(("weak slice", "rows", title, "chance"), rows, caption, (1, 2, 3))]


def error_blocks(evaluation: Evaluation) -> list[Block]:
    """What the worst mistakes have in common, and the list of them, folded."""
    errors = evaluation.errors
    if errors is None or not errors.mistakes:
        return []
    said = [_trait(trait) for trait in errors.traits]
    if not said:
        said = ["The worst tenth of the rows have nothing in common that holds on rows it was not found on."]
    return [Prose(" ".join(said)), _list(evaluation, errors)]


def _trait(trait: SharedTrait) -> str:
    conditions = " and ".join(f"`{condition}`" for condition in trait.conditions)
    return (
        f"Where {conditions}, {trait.worst:,} of {trait.rows:,} rows are among the worst tenth, "
        f"**{format_number(round(trait.lift, 2))} times** as often as among all rows "
        f"({format_number(round(trait.low, 2))} to {format_number(round(trait.high, 2))}; measured on {trait.of:,} rows "
        "that this was not found on)."
    )


def _list(evaluation: Evaluation, errors: ErrorAnalysis) -> Details:
    classes = evaluation.task is not Task.REGRESSION
    rows = tuple(
        (
            item.row_id,
            item.actual,
            item.decided,
            format_percent(item.loss) if classes else format_number(item.loss),
            "; ".join(f"{part.feature} = {part.value} ({part.amount:+.3g})" for part in item.contributions[:3]),
        )
        for item in errors.mistakes
    )
    amount = "probability given to the wrong" if classes else "error"
    caption = "Also in errors.csv, with the five columns that moved each most."
    if classes:
        counts = Counter(item.actual for item in errors.mistakes).most_common(5)
        caption += " By actual class: " + ", ".join(f"{name} {count}" for name, count in counts) + "."
    table = Table(("row", "actual", "decided", amount, "what moved it most"), rows[:_ROWS_SHOWN], caption, (3,))
    rest = rows[_ROWS_SHOWN:]
    more = (Details(f"The next {len(rest)}", (Table(table.columns, rest, "", (3,)),)),) if rest else ()
    summary = f"The {len(errors.mistakes)} worst mistakes of {errors.rows:,} rows of {errors.part}"
    return Details(summary, (table, *more))


_KINDS = {
    "missing": "field missing",
    "unseen": "unseen category",
    "extreme": "one range beyond its ends",
    "noise": "noise of a tenth of its spread",
}


def robustness_section(evaluation: Evaluation) -> Section | None:
    """What turns when the input is disturbed, the worst first."""
    found = evaluation.robustness
    if found is None or not found.disturbances:
        return None
    ranked = sorted(found.disturbances, key=lambda item: (-(item.turned or 0.0), -(item.change or 0.0)))
    rows = tuple(
        (
            item.feature or "(all numbers)",
            _KINDS[item.kind],
            format_percent(item.turned),
            item.note or format_number(item.change),
        )
        for item in ranked
    )
    classes = evaluation.task is not Task.REGRESSION
    caption = (
        "Turned: another decision. Mean change: of the probability."
        if classes
        else "Turned: moved by more than half the standard deviation of the predictions. Mean change: of the value."
    )
    table = Table(("column", "disturbance", "turned", "mean change"), rows[:_DISTURBANCES_SHOWN], caption, (2, 3))
    rest = rows[_DISTURBANCES_SHOWN:_DISTURBANCES_LISTED]
    blocks: list[Block] = [table]
    if rest:
        blocks.append(Details(f"The next {len(rest)}, by what they turn", (Table(table.columns, rest, "", (2, 3)),)))
    worst = ranked[0]
    what = "decisions" if classes else "predictions"
    lead = (
        f"Of {len(ranked)} disturbances of {found.rows:,} held-out rows, the worst is `{worst.feature or 'all numbers'}`, "
        f"{_KINDS[worst.kind]}: it turns {format_percent(worst.turned)} of the {what}."
    )
    return Section("What if the input is wrong?", tuple(blocks), lead)
