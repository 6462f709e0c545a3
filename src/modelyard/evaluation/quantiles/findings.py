"""Where quantiles are not what they say."""

from collections.abc import Iterator

from modelyard.conformal import level_name
from modelyard.core import Finding, Severity
from modelyard.evaluation.quantiles.records import BelowShare, Quantiles
from modelyard.report import format_percent

__all__ = ["quantile_findings"]


def quantile_findings(quantiles: Quantiles | None, part: str) -> Iterator[Finding]:
    """Quantiles that are too low or too high, overall (on rows other than those of calibration) or in a segment.

    Parameters
    ----------
    part
        The rows that were judged.
    """
    if quantiles is None:
        return
    if quantiles.off:
        yield Finding(
            "quantiles-off",
            Severity.WARNING,
            "all rows",
            f"Of {quantiles.overall[0].rows:,} rows of {part}, {_missed(quantiles.off)}.",
            "Whoever plans by these quantiles keeps too little, or too much, in reserve.",
            "Look at what changed between the parts; calibrate on later rows by evaluating a newer run.",
            {level_name(item.level): item.below for item in quantiles.off},
            "E3",
        )
    segments = dict.fromkeys((item.column, item.value) for item in quantiles.uneven)
    for column, value in list(segments)[:3]:
        items = tuple(item for item in quantiles.uneven if (item.column, item.value) == (column, value))
        yield Finding(
            "quantiles-uneven",
            Severity.WARNING,
            column,
            f"Where {items[0].name}, of {items[0].rows:,} rows of {part}, {_missed(items)}.",
            "The quantiles are right on average and wrong here, where an error may cost most.",
            "Tell those who use them; bring more such rows, or columns that say when a case is hard.",
            {"value": value, **{level_name(item.level): item.below for item in items}},
            "E3",
        )


def _missed(items: tuple[BelowShare, ...]) -> str:
    """The shares in words, the lowest level first."""
    return "; ".join(
        f"{format_percent(item.below)} ({format_percent(item.low)} to {format_percent(item.high)}) lie below the quantile "
        f"at {level_name(item.level)}, which is too {'low' if item.below < item.level else 'high'}"
        for item in sorted(items, key=lambda item: item.level)
    )
