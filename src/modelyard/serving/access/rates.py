"""How often somebody may ask: a bucket of tokens each, refilled with time."""

import math
from collections import OrderedDict

from modelyard.core import ConfigError

__all__ = ["Rates"]

_MOST_CALLERS = 10_000
"""Buckets that are kept; beyond that the one that was not asked for longest is forgotten, full as it will be."""


class Rates:
    """Token buckets by caller.

    Parameters
    ----------
    per_s
        Requests a second that a caller may send in the long run.
    burst
        Requests that may come at once after a pause; by default those of one second, at least one.

    Raises
    ------
    ConfigError
        If the rate is not above 0.

    Examples
    --------
    >>> rates = Rates(2.0, burst=2)
    >>> [rates.wait_s("billing", now) for now in (0.0, 0.0, 0.0, 0.5)]
    [0.0, 0.0, 0.5, 0.0]
    """

    def __init__(self, per_s: float, burst: int | None = None) -> None:
        if per_s <= 0:
            raise ConfigError(
                "a rate must be above 0", where="rate", got=str(per_s), cure="Give requests a second, or no rate"
            )
        self._per_s = per_s
        self._burst = float(burst if burst is not None else max(1, math.ceil(per_s)))
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str, now: float) -> float:
        """Take a token of the caller's; 0 if there was one, else the seconds until there is.

        Parameters
        ----------
        now
            Of a clock that never goes back, in seconds.
        """
        left, before = self._buckets.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - before) * self._per_s)
        granted = left >= 1
        self._buckets[caller] = (left - 1 if granted else left, now)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - left) / self._per_s
