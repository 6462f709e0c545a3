"""How high the value may be, and how low: quantiles, the rows below each, and what its misses cost."""

from modelyard.conformal import level_name
from modelyard.evaluation.page.answer import judged_rows
from modelyard.evaluation.quantiles import BelowShare, LevelLoss, Quantiles
from modelyard.evaluation.records import Evaluation
from modelyard.report import (
    Block,
    Details,
    Prose,
    Section,
    Series,
    Table,
    format_number,
    format_percent,
    format_range,
    line_chart,
)

__all__ = ["quantiles_section"]

_TITLE = "How high, and how low?"
_ENOUGH_FOR_A_LINE = 3
_MOST_NAMED = 4


def quantiles_section(evaluation: Evaluation) -> Section | None:
    """The shares in a sentence, then level by level with its loss, then by segment."""
    quantiles = evaluation.quantiles
    if quantiles is None:
        return None
    if not quantiles.overall:
        return Section(_TITLE, (), quantiles.reason)
    blocks: list[Block] = [Prose(f"{quantiles.reason}{_how_to_ask(quantiles)}"), _levels(quantiles)]
    if len(quantiles.overall) >= _ENOUGH_FOR_A_LINE:
        blocks.append(_chart(quantiles))
    if quantiles.segments:
        blocks.append(Details("Rows below the quantiles by segment", (_segments(quantiles),)))
    return Section(_TITLE, tuple(blocks), _lead(evaluation, quantiles))


def _lead(evaluation: Evaluation, quantiles: Quantiles) -> str:
    shares = "; ".join(
        f"{format_percent(item.below)} below the quantile at {level_name(item.level)}" for item in quantiles.overall
    )
    held = f"Of {judged_rows(evaluation)}, {shares}"
    if quantiles.in_sample:
        held += (
            ": those that the quantiles were calibrated on, so the whole is right by construction, and only its parts "
            "say something"
        )
    verdict = f" **Off: {_named(quantiles.off)}.**" if quantiles.off else ""
    return f"{held}.{verdict} {_unevenness(quantiles)}".strip()


def _unevenness(quantiles: Quantiles) -> str:
    judged = len({(item.column, item.value) for item in quantiles.segments if not item.note})
    if not quantiles.uneven:
        return f"None of {judged} segments is clearly elsewhere." if judged else ""
    more = f"; and {len(quantiles.uneven) - _MOST_NAMED} more" if len(quantiles.uneven) > _MOST_NAMED else ""
    return f"**Elsewhere:** {_named(quantiles.uneven[:_MOST_NAMED])}{more}."


def _named(items: tuple[BelowShare, ...]) -> str:
    return "; ".join(
        f"{item.name if item.column else 'the quantile'} at {level_name(item.level)} ({format_percent(item.below)} below)"
        for item in items
    )


def _how_to_ask(quantiles: Quantiles) -> str:
    unlike = (
        " An interval reaches as far up as down; quantiles reach as far as errors did on each side. The pinball loss "
        "charges a truth above the quantile the level times its distance, one below it the rest."
    )
    asked = " The package gives them on demand: `POST /predict?uncertainty=true` adds `prediction_quantiles`."
    scaled = quantiles.rule is not None and quantiles.rule.scale is not None
    return (" They lie closer together where the model errs less." if scaled else "") + unlike + asked


def _levels(quantiles: Quantiles) -> Table:
    rows = tuple(
        (
            level_name(share.level),
            f"{format_percent(share.below)} ({format_percent(share.low)} to {format_percent(share.high)})",
            f"{format_number(loss.loss)} ({format_range(loss.low, loss.high)})",
            format_number(loss.plain),
            _less(loss),
        )
        for share, loss in zip(quantiles.overall, quantiles.losses, strict=True)
    )
    columns = ("level", "rows below", "pinball loss", "of one value for all", "less")
    return Table(columns, rows, "Level by level", (1, 2, 3, 4))


def _less(loss: LevelLoss) -> str:
    return format_percent(1 - loss.loss / loss.plain) if loss.plain > 0 else format_percent(None)


def _chart(quantiles: Quantiles) -> Block:
    shares = quantiles.overall
    observed = Series(
        "observed",
        [item.level for item in shares],
        [item.below for item in shares],
        [item.low for item in shares],
        [item.high for item in shares],
    )
    return line_chart(
        [observed], title="Rows below each quantile", x_label="level", y_label="share of rows below", diagonal=True
    ).with_caption("On the diagonal a quantile means what it says; the band holds all levels together.")


def _segments(quantiles: Quantiles) -> Table:
    rows = tuple(
        (
            item.name,
            f"{item.rows:,}",
            level_name(item.level),
            f"{format_percent(item.below)} ({format_percent(item.low)} to {format_percent(item.high)})",
            item.note,
        )
        for item in quantiles.segments
    )
    return Table(("rows where", "rows", "level", "below", "note"), rows, "", (1, 2, 3))
