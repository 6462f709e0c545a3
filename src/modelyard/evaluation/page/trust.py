"""Whether the reasons can be relied on: other methods, other models, what was expected, and protected columns."""

from modelyard.evaluation.reasons.records import Expectation, MethodAgreement, ModelAgreement, Proxy, Reasons
from modelyard.report import Block, Details, Prose, Table, format_percent

__all__ = ["trust_blocks"]

_OPINIONS_SHOWN, _REASONS_SHOWN = 9, 4


def trust_blocks(reasons: Reasons) -> list[Block]:
    """Expectations first, since people know them; then who agrees with whom; then proxies."""
    blocks: list[Block] = []
    if reasons.expectations:
        blocks.append(_expectations(reasons.expectations))
    if reasons.methods is not None:
        blocks.append(Prose(_methods(reasons.methods)))
    if reasons.models:
        blocks.append(Prose(" ".join(_model(other) for other in reasons.models)))
    if reasons.opinions:
        blocks.append(_opinions(reasons))
    if reasons.proxies:
        blocks.append(_proxies(reasons.proxies))
    return blocks


def _expectations(items: tuple[Expectation, ...]) -> Table:
    rows = tuple(
        (
            item.feature,
            item.expected,
            item.verdict,
            "–" if item.change is None else f"{item.change:+.3g}",
            "–" if item.low is None or item.high is None else f"{item.low:+.3g} to {item.high:+.3g}",
            item.note,
        )
        for item in items
    )
    caption = (
        "Expected directions. The change is that of the mean prediction when the column alone goes from its 5th to its "
        "95th percentile, with its 95 % interval over rows."
    )
    return Table(("column", "expected", "verdict", "change", "interval", "note"), rows, caption, (3, 4))


def _methods(methods: MethodAgreement) -> str:
    """The agreement of methods in two sentences."""
    sign = (
        "" if methods.same_sign is None else f", and on the direction of {format_percent(methods.same_sign)} of these"
    )
    fit = "fit well" if methods.fit >= 0.5 else "fit poorly, so that little hangs on it"
    said = (
        f"**Methods.** On {methods.rows} rows, contributions and LIME agree on {format_percent(methods.same_top)} of the "
        f"{methods.top} columns that count most{sign}; LIME's straight lines {fit} (median R² "
        f"{methods.fit:.2f})."
    )
    if methods.importance is None:
        return said
    return f"{said} Over all rows, contributions rank the columns {_alike(methods.importance)} shuffling does (Spearman {methods.importance:.2f})."


def _alike(correlation: float) -> str:
    return "as" if correlation >= 0.8 else "much as" if correlation >= 0.5 else "otherwise than"


def _model(other: ModelAgreement) -> str:
    good = ", as good within noise," if other.as_good else ""
    return (
        f"**{other.candidate}**{good} shares {other.shared} of the winner's {other.of} most important columns; Spearman "
        f"{other.correlation:.2f} over all columns, {other.predictions:.2f} over the predictions."
    )


def _opinions(reasons: Reasons) -> Details:
    rows = tuple(
        (
            item.row_id,
            "; ".join(
                f"{column} ({amount:+.3g})"
                for column, amount in zip(item.columns[:_REASONS_SHOWN], item.amounts, strict=False)
            ),
            f"{item.fit:.2f}",
        )
        for item in reasons.opinions[:_OPINIONS_SHOWN]
    )
    caption = (
        "By how much the row's own value, rather than another, moves the prediction nearby; a straight line's view."
    )
    return Details("A second opinion on single rows: LIME", (Table(("row", "reasons", "R²"), rows, caption, (2,)),))


def _proxies(proxies: tuple[Proxy, ...]) -> Details:
    rows = tuple(
        (item.protected, item.feature or "all columns together", f"{item.score_name} {item.score:.3f}")
        for item in proxies
    )
    caption = "How well columns of the model predict a protected one, on training rows held out in folds."
    return Details("What tells protected columns", (Table(("protected", "told by", "how well"), rows, caption),))
