"""Steps in time: how long one is, what its calendar repeats after, and which one a column moves by."""

import re

import polars as pl

__all__ = ["grid", "infer_frequency", "on_grid", "parts_of", "times", "usual_seasons"]

_MINUTES = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}
_SEASONS = {"w": (52,), "mo": (12,), "q": (4,)}
_WEEK_MINUTES = 10_080
_DAY_MINUTES = 1_440
_CANDIDATES = ("1m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "1w", "1mo", "1q", "1y")
_SECONDS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800, 2629746, 7889238, 31556952)
_NEAR = 0.1


def usual_seasons(frequency: str) -> tuple[int, ...]:
    """After how many steps the calendar comes round: a day and a week, a year for weeks, months and quarters.

    >>> usual_seasons("1h"), usual_seasons("1d"), usual_seasons("3mo"), usual_seasons("1y")
    ((24, 168), (7,), (4,), ())
    """
    count, unit = parts_of(frequency)
    if unit in _SEASONS:
        whole = _SEASONS[unit][0]
        return (whole // count,) if whole % count == 0 and whole // count > 1 else ()
    if unit not in _MINUTES:
        return ()
    step = count * _MINUTES[unit]
    return tuple(int(span / step) for span in (_DAY_MINUTES, _WEEK_MINUTES) if span % step == 0 and span / step >= 2)


def infer_frequency(moments: pl.Series) -> str | None:
    """The step nearest to the commonest distance between moments that follow one another; None if none is near.

    >>> import datetime as dt
    >>> days = pl.Series([dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 3), dt.date(2024, 1, 5)])
    >>> infer_frequency(days)
    '1d'
    """
    steps = moments.cast(pl.Datetime("us")).unique().sort().diff().drop_nulls().dt.total_seconds()
    if steps.is_empty():
        return None
    common = float(steps.median() or 0.0)  # type: ignore[arg-type]
    nearest = min(range(len(_SECONDS)), key=lambda index: abs(_SECONDS[index] - common) / _SECONDS[index])
    is_near = abs(_SECONDS[nearest] - common) <= _NEAR * _SECONDS[nearest]
    return _CANDIDATES[nearest] if is_near else None


def on_grid(moments: pl.Series, frequency: str) -> pl.Series:
    """Each moment as the start of its step."""
    return moments.cast(pl.Datetime("us")).dt.truncate(frequency)


def grid(first: object, last: object, frequency: str) -> pl.Series:
    """All steps from the first to the last."""
    return pl.datetime_range(first, last, interval=frequency, eager=True, time_unit="us").alias("moment")  # type: ignore[call-overload, no-any-return]


def times(frequency: str, count: int) -> str:
    """``count`` steps as one length of time; back, if it is below 0.

    >>> times("2h", 3), times("1d", -7)
    ('6h', '-7d')
    """
    number, unit = parts_of(frequency)
    return f"{number * count}{unit}"


def parts_of(frequency: str) -> tuple[int, str]:
    """The number and the unit of a step."""
    count, unit = re.fullmatch(r"(\d+)([a-z]+)", frequency).groups()  # type: ignore[union-attr]
    return int(count), unit
