"""How sure one prediction is: intervals or sets, and how often they held the truth."""

from modelyard.evaluation.conformal import RegionCoverage, Regions
from modelyard.evaluation.page.answer import judged_rows
from modelyard.evaluation.records import Evaluation
from modelyard.report import Block, Details, Prose, Section, Table, format_number, format_percent, interval_chart

__all__ = ["regions_section"]

_SIZES_SHOWN = 4


def regions_section(evaluation: Evaluation) -> Section | None:
    """Coverage in a sentence, then of whom it holds and of whom not."""
    regions = evaluation.regions
    if regions is None:
        return None
    if regions.rule is None or regions.overall is None:
        return Section("How sure is one prediction?", (), regions.reason)
    blocks: list[Block] = [Prose(f"{_sizes(evaluation, regions)} {regions.reason}{_how_to_ask(regions)}")]
    parts = (*regions.classes, *regions.segments)
    if parts:
        blocks += [_chart(regions, parts), Details("Coverage in figures", (_table(regions, parts),))]
    return Section("How sure is one prediction?", tuple(blocks), _lead(evaluation, regions, regions.overall))


def _lead(evaluation: Evaluation, regions: Regions, whole: RegionCoverage) -> str:
    what = "Sets of classes" if regions.sizes else "Intervals"
    held = (
        f"{what} meant to hold the truth in {format_percent(regions.coverage)} of the cases held it in "
        f"{format_percent(whole.covered)} ({format_percent(whole.low)} to {format_percent(whole.high)}) of "
        f"{judged_rows(evaluation)}"
    )
    if regions.in_sample:
        held += (
            ", those they were calibrated on: so the whole is right by construction, and only its parts say something"
        )
    verdict = " **Too few.**" if regions.is_short else ""
    return f"{held}.{verdict} {_unevenness(regions)}"


def _unevenness(regions: Regions) -> str:
    judged = [part for part in (*regions.classes, *regions.segments) if not part.note]
    if not regions.short:
        return f"None of {len(judged)} classes and segments is covered clearly less." if judged else ""
    named = "; ".join(f"{part.name} ({format_percent(part.covered)})" for part in regions.short[:4])
    more = f"; and {len(regions.short) - 4} more" if len(regions.short) > 4 else ""
    return f"**Covered less than that:** {named}{more}."


def _sizes(evaluation: Evaluation, regions: Regions) -> str:
    """How much the statements say: a set of all classes says nothing."""
    if regions.overall is None or regions.rule is None:
        return ""
    if regions.rule.intervals is not None:
        width = format_number(float(f"{regions.overall.size:.3g}"))
        scale = ", narrower where the model errs less" if regions.rule.intervals.scale else ", the same everywhere"
        return f"The intervals are {width} wide on average{scale}."
    shares = [
        f"{format_percent(share)} of the sets name {'one class' if count == 1 else f'{count} classes'}"
        for count, share in enumerate(regions.sizes)
        if share > 0
    ][:_SIZES_SHOWN]
    unsure = " (nothing is ruled out there)" if evaluation.task == "binary" and regions.sizes[-1] > 0 else ""
    return f"{'; '.join(shares)}{unsure}."


def _how_to_ask(regions: Regions) -> str:
    field = "prediction_set" if regions.sizes else "prediction_interval"
    return f" The package gives them on demand: `POST /predict?uncertainty=true` adds `{field}`."


def _chart(regions: Regions, parts: tuple[RegionCoverage, ...]) -> Block:
    return interval_chart(
        [f"{part.name} ({part.rows:,}{' *' if part.note else ''})" for part in parts],
        [part.covered for part in parts],
        [part.low for part in parts],
        [part.high for part in parts],
        title="Share of the cases that were covered",
        reference=regions.coverage,
    ).with_caption(
        "Rows in brackets; the dashed line is what was asked for. The intervals of the segments hold together."
        + (" * too few rows: mostly chance." if any(part.note for part in parts) else "")
    )


def _table(regions: Regions, parts: tuple[RegionCoverage, ...]) -> Table:
    rows = tuple(
        (
            part.name,
            f"{part.rows:,}",
            f"{format_percent(part.covered)} ({format_percent(part.low)} to {format_percent(part.high)})",
            format_number(float(f"{part.size:.4g}")),
            part.note,
        )
        for part in parts
    )
    return Table(
        ("rows where", "rows", "covered", "classes" if regions.sizes else "width", "note"), rows, "", (1, 2, 3)
    )
