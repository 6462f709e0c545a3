"""From counts to the figures that guards judge."""

import math
from collections.abc import Sequence

import numpy as np

from modelyard.data.profile import debiased_psi
from modelyard.packaging import Parity
from modelyard.rollout import Figure
from modelyard.serving.routing.tally import Window

__all__ = ["figures_of", "golden_figure"]

_BINS = 10
_SURE = 3.0
"""Standard deviations of the index without any change; beneath them it is taken for noise."""

_MOST_NOISE = 1.0
"""Beyond this the noise would hide a change of everything: of ten tenths, beneath about 26 scores on either side."""


def figures_of(window: Window, other: Window | None) -> dict[str, Figure]:
    """Figures of a variant's window, and of the baseline's beside it; of a shadow, with what the champion had answered."""
    count = window.requests
    beside = other or Window()
    figures = {
        "error_rate": _share(window.errors, count, beside.errors, beside.requests),
        "invalid_rate": _share(window.invalid, count, beside.invalid, beside.requests),
        "latency_p99_ms": Figure(
            _p99(window.latencies_ms), len(window.latencies_ms), _p99(beside.latencies_ms), len(beside.latencies_ms)
        ),
    }
    others = window.others or beside.scores
    if window.scores and others:
        figures["prediction_psi"] = Figure(_moved(window.scores, others), min(len(window.scores), len(others)))
    if window.others:
        compared = len(window.others)
        differences = np.abs(np.subtract(window.scores, window.others))
        figures["agreement_rate"] = Figure(min(window.agreed / compared, 1.0), compared)
        figures["score_difference"] = Figure(float(differences.mean()), compared)
    return figures


def golden_figure(parity: Parity) -> Figure:
    """The largest difference on golden rows, in tolerances; above 1 the scorer disagrees."""
    value = parity.max_abs_difference / parity.tolerance if parity.tolerance else 0.0
    return Figure(value if parity.ok else max(2.0, value if math.isfinite(value) else 2.0), parity.rows)


def _share(part: int, whole: int, other_part: int, other_whole: int) -> Figure:
    other = other_part / other_whole if other_whole else None
    return Figure(part / whole if whole else None, whole, other, other_whole)


def _p99(latencies_ms: Sequence[float]) -> float | None:
    return float(np.quantile(latencies_ms, 0.99)) if latencies_ms else None


def _moved(scores: Sequence[float], others: Sequence[float]) -> float | None:
    """How far the scores have certainly moved: the population stability index over tenths of the other's scores, less what
    it would be without any change, and less three standard deviations of that. 0 if it may be noise; None if there are so few scores that even a change of
    everything might be.
    """
    edges = np.unique(np.quantile(others, np.linspace(0, 1, _BINS + 1)[1:-1]))
    before, now = (np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in (others, scores))
    used = int(((before + now) > 0).sum())
    noise = math.sqrt(2 * max(used - 1, 0)) * (1 / len(scores) + 1 / len(others))
    return None if _SURE * noise > _MOST_NOISE else max(0.0, debiased_psi(before, now) - _SURE * noise)
