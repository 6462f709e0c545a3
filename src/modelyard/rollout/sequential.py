"""An interval that may be looked at after every row: it holds the truth at all times together, not at one of them.

A test of fixed size that is repeated until it says yes says yes in the end, whatever is true. The mixture sequential
probability ratio test does not: Robbins (1970), "Statistical methods related to the law of the iterated logarithm";
Johari, Koomen, Pekelis and Walsh (2022), "Always Valid Inference: Continuous Monitoring of A/B Tests", Operations
Research 70(3), whose normal mixture for a difference of two means is used here, with the variances that were seen.
"""

import dataclasses
import math

from modelyard.core import Record

__all__ = ["Interval", "always_valid_interval"]

_MIXTURE = 0.1
"""Standard deviation of the effects that are thought likely, in standard deviations of a single row."""


@dataclasses.dataclass(frozen=True)
class Interval(Record):
    """A difference of means, and between which values it lies."""

    difference: float
    low: float
    high: float


def always_valid_interval(
    mean: float, variance: float, count: int, other: tuple[float, float, int], alpha: float
) -> Interval | None:
    """The interval of ``mean`` less the other's mean; None as long as there are fewer than two rows of each.

    With the mixture's variance ``t`` and that of the difference ``V``, its half width is
    ``sqrt(2 V (V + t) / t · (ln(1 / alpha) + ln((V + t) / V) / 2))``.

    Parameters
    ----------
    mean, variance, count
        Of the new version's rows.
    other
        The same of the baseline's.
    alpha
        Chance that the interval ever misses the true difference. It holds for many rows: variances are estimated.

    >>> interval = always_valid_interval(0.80, 0.16, 20_000, (0.75, 0.1875, 20_000), 0.05)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.036, 0.064)
    """
    other_mean, other_variance, other_count = other
    if min(count, other_count) < 2:
        return None
    difference = mean - other_mean
    if difference == variance == other_variance == 0:
        return Interval(difference, -math.inf, math.inf)  # rows that are all alike say nothing about the next one
    # One row more on each side, which looks like the other side: rows that were all alike so far do not make it certain.
    variance, other_variance = variance + difference**2 / count, other_variance + difference**2 / other_count
    spread = variance / count + other_variance / other_count
    mixture = _MIXTURE**2 * (variance + other_variance) / 2
    half = math.sqrt(
        2 * spread * (spread + mixture) / mixture * (math.log(1 / alpha) + math.log((spread + mixture) / spread) / 2)
    )
    return Interval(difference, difference - half, difference + half)
