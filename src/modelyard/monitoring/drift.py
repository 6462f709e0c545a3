"""The drift rule: a test that asks whether a feature moved further than is harmless, at any number of rows.

A p-value below 0.05 alarms on every large clean batch, a fixed threshold on every small one. Here the hypothesis is
that the population stability index (PSI) is at most a tolerance; the statistic ``PSI·h`` with ``h = nN/(n+N)`` then
follows a noncentral chi-square law (Yurdakul and Naranjo 2020; Potgieter et al. 2023, arXiv 2307.11878, "Population
Resemblance Statistic").
"""

import dataclasses
import enum
import functools
import itertools

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, chndtrinc, chndtrix

from modelyard.core import Record
from modelyard.data.profile import SPECIAL_BINS, FeatureReference, bin_labels

__all__ = ["DriftLevel", "DriftResult", "drift_test", "psi_critical", "psi_lower_bound", "psi_statistics"]

Floats = npt.NDArray[np.float64]

_SMOOTHING = 0.5
_MODERATE = 0.1
_LARGE = 0.25


class DriftLevel(enum.StrEnum):
    """How far a feature has certainly moved, by the lower bound of its PSI: from 0.1 moderate, from 0.25 large."""

    NONE = "none"
    SMALL = "small"
    MODERATE = "moderate"
    LARGE = "large"

    @property
    def rank(self) -> int:
        """0 for none to 3 for large."""
        return list(DriftLevel).index(self)


@dataclasses.dataclass(frozen=True)
class DriftResult(Record):
    """One feature in one window against the reference.

    Parameters
    ----------
    feature, rows
        What was tested, and the rows of the window.
    psi
        Population stability index over the frozen bins and NULL, NEW and SPIKE, with 0.5 added per bin in use.
    psi_low
        Lower confidence bound of the PSI, from inverting the test; None unless there is an alarm.
    tolerance
        The PSI that counts as harmless.
    statistic, critical
        ``PSI·h`` and the value that it must exceed.
    alarm, level
        The verdict, and how far the feature has certainly moved.
    js
        Jensen–Shannon distance over the same bins, base 2, 0 to 1.
    ks, wasserstein
        For numbers and dates: the largest gap between the two cumulative shares at the bins' edges, and the area
        between them in units of the reference's 10-to-90 % span. Both see only the edges, so they are lower bounds.
    chi_square_p
        p-value of the two-sample chi-square test of exact equality; for people who ask, never an alarm.
    top_bin, top_before, top_now
        A bin that adds much to the PSI, one that grew where there is a choice, and its share in the reference and now.
    """

    feature: str
    rows: int
    psi: float
    psi_low: float | None
    tolerance: float
    statistic: float
    critical: float
    alarm: bool
    level: DriftLevel
    js: float
    ks: float | None
    wasserstein: float | None
    chi_square_p: float
    top_bin: str
    top_before: float
    top_now: float


def drift_test(
    reference: FeatureReference, counts: npt.ArrayLike, *, false_alarm_rate: float, features: int
) -> DriftResult:
    """Test whether a window's counts moved beyond the feature's tolerance.

    Parameters
    ----------
    reference
        The feature's bins, counts and tolerance in training.
    counts
        The window's counts over the same bins; see :func:`modelyard.data.profile.count_bins`.
    false_alarm_rate
        Accepted chance of at least one false alarm per window over all features.
    features
        Features tested in the window; each is tested at ``false_alarm_rate / features`` (Bonferroni).
    """
    before = np.asarray(reference.counts, dtype=np.float64)
    now = np.asarray(counts, dtype=np.float64)
    psi, harmonic, freedom = (float(part) for part in psi_statistics(before, now))
    level_rate = false_alarm_rate / max(features, 1)
    statistic = psi * harmonic
    critical = psi_critical(level_rate, freedom, reference.tolerance * harmonic)
    alarm = bool(freedom >= 1 and statistic > critical)
    low = psi_lower_bound(statistic, harmonic, freedom, level_rate) if alarm else None
    p, q = _shares(before, now)
    top = _most_changed(p, q)
    ks, area = _ordered_distances(reference, before, now)
    return DriftResult(
        feature=reference.name,
        rows=int(now.sum()),
        psi=psi,
        psi_low=low,
        tolerance=reference.tolerance,
        statistic=statistic,
        critical=critical,
        alarm=alarm,
        level=_level(low),
        js=_jensen_shannon(p, q),
        ks=ks,
        wasserstein=area,
        chi_square_p=_chi_square_p(before, now),
        top_bin=bin_labels(reference)[top],
        top_before=float(before[top] / max(before.sum(), 1.0)),
        top_now=float(now[top] / max(now.sum(), 1.0)),
    )


def psi_statistics(before: Floats, now: Floats) -> tuple[Floats, Floats, Floats]:
    """PSI, ``h`` and degrees of freedom of windows against one reference.

    Parameters
    ----------
    before
        Reference counts, shape (bins,).
    now
        Counts of one window, shape (bins,), or of many, shape (..., bins).

    Returns
    -------
    tuple
        Arrays of shape (...): the PSI with 0.5 added to each bin that either side uses, ``nN/(n+N)``, and the bins
        in use less one. Zeros where a side is empty.
    """
    used = (before + now) > 0
    first = np.where(used, before + _SMOOTHING, 0.0)
    second = np.where(used, now + _SMOOTHING, 0.0)
    p = first / np.maximum(first.sum(axis=-1, keepdims=True), _SMOOTHING)
    q = second / np.maximum(second.sum(axis=-1, keepdims=True), _SMOOTHING)
    ratio = np.where(used, q, 1.0) / np.where(used, p, 1.0)
    psi = ((q - p) * np.log(ratio)).sum(axis=-1)
    total, rows = before.sum(axis=-1), now.sum(axis=-1)
    harmonic = np.asarray(total * rows / np.maximum(total + rows, 1.0))
    freedom = np.where(harmonic > 0, np.maximum(used.sum(axis=-1) - 1, 0), 0)
    return np.where(harmonic > 0, psi, 0.0), harmonic, freedom.astype(np.float64)


@functools.lru_cache(maxsize=4096)
def psi_critical(rate: float, freedom: float, noncentrality: float) -> float:
    """The value that ``PSI·h`` exceeds with chance ``rate`` if the true PSI is the tolerance."""
    return float(chndtrix(1 - rate, max(freedom, 1.0), noncentrality))


def psi_lower_bound(statistic: float, harmonic: float, freedom: float, rate: float) -> float:
    """The smallest true PSI that the test at level ``rate`` would not reject; 0 if it rejects none."""
    if chdtrc(freedom, statistic) >= rate:
        return 0.0
    return float(chndtrinc(statistic, freedom, 1 - rate)) / harmonic


def _level(low: float | None) -> DriftLevel:
    if low is None:
        return DriftLevel.NONE
    if low >= _LARGE:
        return DriftLevel.LARGE
    return DriftLevel.MODERATE if low >= _MODERATE else DriftLevel.SMALL


def _shares(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Smoothed shares over the bins in use; bins that are empty on both sides get equal shares of next to nothing."""
    used = (before + now) > 0
    first = np.where(used, before + _SMOOTHING, 1e-12)
    second = np.where(used, now + _SMOOTHING, 1e-12)
    return first / first.sum(), second / second.sum()


def _most_changed(p: Floats, q: Floats) -> int:
    """The bin with the largest part of the PSI; of nearly equal parts, one that grew rather than one that emptied."""
    terms = (q - p) * np.log(q / p)
    near = terms >= 0.5 * terms.max()
    return int(np.argmax(np.where(near, q - p, -np.inf)))


def _jensen_shannon(p: Floats, q: Floats) -> float:
    """Jensen–Shannon distance, base 2."""
    middle = (p + q) / 2
    divergence = ((p * np.log2(p / middle)).sum() + (q * np.log2(q / middle)).sum()) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def _chi_square_p(before: Floats, now: Floats) -> float:
    """Two-sample chi-square test for unequal sizes (Numerical Recipes, 3rd edition, section 14.3.3)."""
    used = (before + now) > 0
    total, rows = before.sum(), now.sum()
    if total == 0 or rows == 0 or used.sum() < 2:
        return 1.0
    factor = np.sqrt(total / rows)
    statistic = ((factor * now[used] - before[used] / factor) ** 2 / (before[used] + now[used])).sum()
    return float(chdtrc(used.sum() - 1, statistic))


def _ordered_distances(reference: FeatureReference, before: Floats, now: Floats) -> tuple[float | None, float | None]:
    """Kolmogorov–Smirnov gap and area between the cumulative shares at the inner edges; None for categories."""
    edges = np.asarray(reference.edges, dtype=np.float64)
    if reference.is_counted_by_category or len(edges) == 0:
        return None, None
    gaps: list[Floats] = []
    for counts in (before, now):
        ordinary = counts[: -len(SPECIAL_BINS)].copy()
        if reference.spike is not None:
            ordinary[int(np.searchsorted(edges, reference.spike, side="left"))] += counts[-1]
        if ordinary.sum() == 0:
            return None, None
        gaps.append(np.cumsum(ordinary)[:-1] / ordinary.sum())
    gap = np.abs(gaps[1] - gaps[0])
    span = float(edges[-1] - edges[0])
    pairs = itertools.pairwise(range(len(edges)))
    area = sum((gap[a] + gap[b]) / 2 * (edges[b] - edges[a]) for a, b in pairs) / span if span > 0 else None
    return float(gap.max()), None if area is None else float(area)
