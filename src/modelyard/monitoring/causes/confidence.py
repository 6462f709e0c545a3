"""How often a verdict with evidence this strong was right, measured on the simulator of known causes."""

from collections.abc import Iterable

import numpy as np

__all__ = ["confidence_of"]

_MARGINS = (0.0, 1.0, 2.0, 4.0)
_RIGHT = (0.9, 0.92, 0.95, 0.98)
"""Claimed shares of right verdicts, by the weakest margin; ``tests/monitoring/causes/test_simulator.py`` refuses what certainly claims
too much."""


def confidence_of(margins: Iterable[float]) -> float:
    """The share of right verdicts at the weakest of the decisions that led to the verdict.

    Parameters
    ----------
    margins
        Distance of each decisive number from its threshold, in standard errors.

    >>> confidence_of([5.0, 12.0]), round(confidence_of([0.5, 9.0]), 2)
    (0.98, 0.91)
    """
    weakest = max(min(margins, default=0.0), 0.0)
    return float(np.interp(weakest, _MARGINS, _RIGHT))
