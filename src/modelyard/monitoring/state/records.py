"""The state of a window: whole numbers and extremes, so that hours add up to days without a rounding."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping

from modelyard.core import IntegrityError, Record
from modelyard.monitoring.state.distinct import merged_registers
from modelyard.monitoring.state.shape import Shape

__all__ = ["LATENCY_BOUNDS_MS", "FeatureState", "LabelState", "WindowState", "merged"]

LATENCY_BOUNDS_MS = (0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0)
"""Upper bounds of the latency buckets, as on the server's ``/metrics``; one more bucket holds what took longer."""

_WRAP = 1 << 64


@dataclasses.dataclass(frozen=True)
class FeatureState(Record):
    """One column of one window.

    Parameters
    ----------
    name
        The log's column.
    bins
        Digest of the frozen bins: counts over other bins are never added.
    counts
        Rows per bin, in the order of :func:`modelyard.data.profile.bin_labels`.
    low, high
        Smallest and largest finite number; None for categories, and without any.
    shape
        Numbers by cell; empty for categories.
    distinct
        Registers of :mod:`modelyard.monitoring.state.distinct`.
    """

    name: str
    bins: str
    counts: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    shape: Shape = dataclasses.field(default_factory=Shape)
    distinct: str = ""

    def __add__(self, other: "FeatureState") -> "FeatureState":
        """Both windows together.

        Raises
        ------
        IntegrityError
            If the bins differ.
        """
        if (self.name, self.bins) != (other.name, other.bins):
            raise IntegrityError(
                "counts over different bins cannot be added",
                where=self.name,
                got=f"{self.name}/{self.bins[:12]} and {other.name}/{other.bins[:12]}",
                cure="Add states of one package's profile only",
            )
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return FeatureState(
            self.name,
            self.bins,
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            min(lows, default=None),
            max(highs, default=None),
            self.shape + other.shape,
            merged_registers(self.distinct, other.distinct),
        )


@dataclasses.dataclass(frozen=True)
class LabelState(Record):
    """The labels that came for a window's predictions.

    Parameters
    ----------
    rows
        Predictions with a label.
    delay_us
        Sum of the times from prediction to label, in microseconds; labels without a moment add nothing.
    outcomes
        Rows by label; empty for regression.
    """

    rows: int = 0
    delay_us: int = 0
    outcomes: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __add__(self, other: "LabelState") -> "LabelState":
        """Both windows together."""
        return LabelState(self.rows + other.rows, self.delay_us + other.delay_us, _added(self.outcomes, other.outcomes))


@dataclasses.dataclass(frozen=True)
class WindowState(Record):
    """Everything that is kept of a window.

    Parameters
    ----------
    start
        Begin of its period, in UTC.
    rows
        Predictions in it.
    first, last
        Moments of its first and last row.
    age_us
        Sum of the times from ``start`` to each row, in microseconds: how late in the window its rows came.
    ids
        Sum of the rows' hashed ids, modulo 2 to the 64: a digest that does not depend on the order of rows, and adds up.
    unscored, flagged
        Rows without a finite score, and rows that broke a lenient rule of the contract.
    latency, latency_us
        Rows by bucket of :data:`LATENCY_BOUNDS_MS`, and the sum in microseconds; empty and 0 where none was logged.
    decisions
        Rows by decided label; empty for regression.
    features
        The columns of the profile that the rows hold.
    labels
        What came back.
    """

    start: dt.datetime
    rows: int
    first: dt.datetime
    last: dt.datetime
    age_us: int
    ids: int
    unscored: int
    flagged: int
    latency: tuple[int, ...]
    latency_us: int
    decisions: Mapping[str, int]
    features: tuple[FeatureState, ...]
    labels: LabelState = dataclasses.field(default_factory=LabelState)

    def __add__(self, other: "WindowState") -> "WindowState":
        """Both windows together; hours give the day that would have been counted from all their rows."""
        start = min(self.start, other.start)
        ages = (one.age_us + one.rows * _microseconds(one.start - start) for one in (self, other))
        return WindowState(
            start=start,
            rows=self.rows + other.rows,
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            age_us=sum(ages),
            ids=(self.ids + other.ids) % _WRAP,
            unscored=self.unscored + other.unscored,
            flagged=self.flagged + other.flagged,
            latency=_summed(self.latency, other.latency),
            latency_us=self.latency_us + other.latency_us,
            decisions=_added(self.decisions, other.decisions),
            features=_joined(self.features, other.features),
            labels=self.labels + other.labels,
        )

    def feature(self, name: str) -> FeatureState | None:
        """One column's state; None if the window has no such column."""
        return next((one for one in self.features if one.name == name), None)


def merged(states: Iterable[WindowState]) -> WindowState | None:
    """All windows as one; None without any."""
    total: WindowState | None = None
    for state in states:
        total = state if total is None else total + state
    return total


def _joined(some: tuple[FeatureState, ...], more: tuple[FeatureState, ...]) -> tuple[FeatureState, ...]:
    """Columns of both; one that only some rows have keeps what these said."""
    columns = {one.name: one for one in some}
    for one in more:
        columns[one.name] = columns[one.name] + one if one.name in columns else one
    return tuple(columns[name] for name in sorted(columns))


def _summed(some: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    if not some or not more:
        return some or more
    return tuple(a + b for a, b in zip(some, more, strict=True))


def _added(some: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: some.get(name, 0) + more.get(name, 0) for name in sorted({*some, *more})}


def _microseconds(span: dt.timedelta) -> int:
    return span // dt.timedelta(microseconds=1)
