"""Numbers for people: few digits, thousands apart, never a bare ``nan``."""

import math

__all__ = ["MISSING", "format_number", "format_percent", "format_range"]

MISSING = "–"
"""Shown where there is no number."""


def format_number(x: float | None) -> str:
    """A number with four significant digits, integers in full, thousands apart; "–" for None and NaN.

    >>> [format_number(x) for x in (0.84527, 1204, 1204.0, 0.000032, 17.5, None)]
    ['0.8453', '1,204', '1,204', '3.2e-05', '17.5', '–']
    """
    if x is None or math.isnan(x):
        return MISSING
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    size = abs(x)
    if x == int(x) and size < 1e15:
        return f"{int(x):,}"
    if size < 1e-4 or size >= 1e15:
        return f"{x:.1e}"
    if size >= 1000:
        return f"{x:,.0f}"
    decimals = 4 if size < 1 else 3 - math.floor(math.log10(size))
    text = f"{x:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if size >= 1 else text


def format_percent(share: float | None, decimals: int = 1) -> str:
    r"""A share between 0 and 1 as a percentage with a thin no-break space; small ones are not rounded to nothing.

    >>> format_percent(0.2654), format_percent(0.00004), format_percent(1)
    ('26.5\u202f%', '< 0.1\u202f%', '100\u202f%')
    """
    if share is None or math.isnan(share):
        return MISSING
    smallest = 10.0**-decimals
    percent = share * 100
    if 0 < percent < smallest / 2:
        return f"< {smallest:g}\u202f%"
    text = f"{percent:,.{decimals}f}"
    if decimals and text.endswith("." + "0" * decimals):
        text = text[: -decimals - 1]
    return f"{text}\u202f%"


def format_range(low: float | None, high: float | None) -> str:
    """An interval: "0.8301 to 0.8596"; "–" if an end is missing.

    >>> format_range(0.83014, 0.8596)
    '0.8301 to 0.8596'
    """
    ends = (format_number(low), format_number(high))
    return MISSING if MISSING in ends else f"{ends[0]} to {ends[1]}"
