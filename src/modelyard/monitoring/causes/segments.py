"""Where it sits: a shallow search over single columns and pairs of them, corrected for all that was searched."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from modelyard.data.profile import FeatureReference, bin_labels
from modelyard.monitoring.causes.case import Moved
from modelyard.monitoring.causes.records import Segment

__all__ = ["loss_segments", "shift_segments"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MOST = 3
_RATE = 0.05
_SMALLEST = 30
_SMALLEST_SHARE = 0.02
_PAIRED = 6
_COARSE = 4


def loss_segments(
    excess: Floats, bins: Mapping[str, Ints], references: Mapping[str, FeatureReference]
) -> tuple[Segment, ...]:
    """The segments whose rows lost more than the others, at most three.

    Parameters
    ----------
    excess
        Loss of each row, less what the model itself led one to expect of it.
    bins, references
        The bin of each row by feature, and the features.

    Notes
    -----
    Welch's test of the mean in the segment against that of all others; p-values are multiplied by the number of segments
    that were searched (Bonferroni). Numbers are searched by quarters of training, categories one by one.
    """
    masks: dict[tuple[str, ...], Mask] = {}
    owners: dict[tuple[str, ...], str] = {}
    for name, places in bins.items():
        for label, mask in _parts(references[name], places):
            masks[label,] = mask
            owners[label,] = name
    singles = sorted(masks, key=lambda key: -_distance(excess, masks[key]))
    for first, second in itertools.combinations(singles[:_PAIRED], 2):
        if owners[first] != owners[second]:
            masks[first + second] = masks[first] & masks[second]
    searched = {key: mask for key, mask in masks.items() if _is_large_enough(mask)}
    found = []
    for key, mask in searched.items():
        p_value = min(1.0, len(searched) * float(ndtr(-_distance(excess, mask))))
        if p_value < _RATE:
            here, elsewhere = float(excess[mask].mean()), float(excess[~mask].mean())
            found.append(Segment(key, int(mask.sum()), float(mask.mean()), "loss", here, elsewhere, p_value))
    ordered = sorted(found, key=lambda one: (-_distance(excess, masks[one.conditions]), len(one.conditions)))
    return _apart(ordered, masks)


def _apart(ordered: Sequence[Segment], masks: Mapping[tuple[str, ...], Mask]) -> tuple[Segment, ...]:
    """The first three that do not mostly hold the same rows."""
    chosen: list[Segment] = []
    for one in ordered:
        mask = masks[one.conditions]
        if all((mask & masks[other.conditions]).sum() < mask.sum() / 2 for other in chosen):
            chosen.append(one)
        if len(chosen) == _MOST:
            break
    return tuple(chosen)


def _parts(reference: FeatureReference, places: Ints) -> list[tuple[str, Mask]]:
    """The segments of one column: its categories, or quarters of its numbers, and what is missing."""
    labels = bin_labels(reference)
    special = {len(labels) - 3: "is missing", len(labels) - 2: "is new"}
    if reference.spike is not None:
        special[len(labels) - 1] = f"is {reference.spike:g}"
    parts = [(f"{reference.name} {words}", places == place) for place, words in special.items()]
    if reference.is_counted_by_category:
        return [*((f"{reference.name} is {labels[i]}", places == i) for i in range(len(labels) - 3)), *parts]
    edges = reference.edges
    cuts = sorted({round(len(edges) * part / _COARSE) for part in range(1, _COARSE)} & set(range(len(edges))))
    for low, high in itertools.pairwise([-1, *cuts, len(edges)]):
        words = f"is above {edges[low]:g}" if low >= 0 else f"is at most {edges[high]:g}" if high < len(edges) else ""
        if low >= 0 and high < len(edges):
            words = f"is {edges[low]:g} to {edges[high]:g}"
        if words:
            parts.append((f"{reference.name} {words}", (places > low) & (places <= high)))
    return parts


def _is_large_enough(mask: Mask) -> bool:
    smaller = min(int(mask.sum()), int((~mask).sum()))
    return smaller >= max(_SMALLEST, _SMALLEST_SHARE * len(mask))


def _distance(values: Floats, mask: Mask) -> float:
    """Welch's t of the rows in ``mask`` against the others; 0 if either side is too small."""
    if not _is_large_enough(mask):
        return 0.0
    here, elsewhere = values[mask], values[~mask]
    error = math.sqrt(float(here.var()) / len(here) + float(elsewhere.var()) / len(elsewhere))
    return float(here.mean() - elsewhere.mean()) / error if error > 0 else 0.0


def shift_segments(moved: Sequence[Moved]) -> tuple[Segment, ...]:
    """The bin that grew most, of each of the three features that moved most."""
    inputs = [one for one in moved if not one.is_score and one.counts.sum()]
    return tuple(_grown(one) for one in sorted(inputs, key=lambda one: -(one.result.psi_low or 0.0))[:_MOST])


def _grown(one: Moved) -> Segment:
    before = np.asarray(one.reference.counts, dtype=np.float64)
    p, q = before / max(float(before.sum()), 1.0), one.counts / one.counts.sum()
    place = int((q - p).argmax())
    condition = f"{one.reference.name} is {bin_labels(one.reference)[place]}"
    return Segment(
        (condition,), int(one.counts[place]), float(q[place]), "shift", float(q[place]), float(p[place]), 0.0
    )
