"""What was expected, on the page: the figure never without its word."""

from collections.abc import Sequence

from modelyard.monitoring.expected.assumption import Assumption
from modelyard.monitoring.expected.estimate import ExpectedPerformance
from modelyard.report import Section, Table, format_number, format_range

__all__ = ["expected_sections"]

_LEAD = (
    "What the predictions themselves promise, before labels come. The range is that of chance alone. Where the assumption is "
    "broken the figure is no estimate: a broken column makes a model surer, and a changed relation leaves its probabilities as "
    "they were."
)


def expected_sections(expected: Sequence[ExpectedPerformance], title: str) -> list[Section]:
    """One section with the last windows; none where nothing could be promised."""
    valued = [one for one in expected if one.value is not None]
    if not valued:
        return []
    rows = tuple(
        (
            one.window,
            f"{one.rows:,}",
            format_number(one.value),
            format_range(one.low, one.high),
            one.assumption.value.upper() if one.assumption is Assumption.BROKEN else one.assumption.value,
            "; ".join(one.against),
        )
        for one in valued
    )
    columns = ("Window", "Predictions", f"Expected {title}", "Range", "Assumption", "What speaks against it")
    return [Section("Expected performance", (Table(columns, rows, numeric=(1, 2, 3)),), _LEAD)]
