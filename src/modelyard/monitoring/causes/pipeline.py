"""A broken pipeline: what a source, an export or a join does to columns, and which source they have in common."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import polars as pl

from modelyard.data.profile import FeatureReference, as_numbers, count_bins, smoothed_psi
from modelyard.monitoring.causes.records import Evidence
from modelyard.monitoring.quality import QualityResult, QualitySignal
from modelyard.report import format_percent

__all__ = ["PipelineView", "fault_evidence", "is_rescaled"]

_FAULTS = frozenset(
    {
        QualitySignal.NEW_SPIKE,
        QualitySignal.NULL_RATE,
        QualitySignal.RESPELLED,
        QualitySignal.WRONG_TYPE,
    }
)
_SAME_SHAPE = 0.1
_FROZEN_WINDOWS = 3
_ALL_NEW = 0.9
_FEWEST_OF_A_SOURCE = 2

_WORDS = {
    QualitySignal.NULL_RATE: "is missing in {now} of the rows, in training in {before}",
    QualitySignal.NEW_CATEGORY: "has categories that training never saw in {now} of the rows",
    QualitySignal.RESPELLED: "spells known categories in another way in {now} of the rows",
    QualitySignal.FROZEN: "has one and the same value in every row",
    QualitySignal.NEW_SPIKE: "has one value in {now} of the rows; no value was in more than {before} of training",
    QualitySignal.UNIT_CHANGE: "seems to have changed its unit",
    QualitySignal.WRONG_TYPE: "holds values of another type in {now} of the rows",
}


@dataclasses.dataclass(frozen=True)
class PipelineView:
    """What tells a fault from the world.

    Parameters
    ----------
    quality
        Alarms of all windows.
    windows
        The judged windows in their order.
    outputs
        Columns that are the model's own; only that they are missing is a fault of a pipeline.
    was_lively
        Says of a column and the place of a window whether its values differed.
    is_rescaled
        Says of a column and the place of a window whether it is as it was in training but for its scale.
    """

    quality: Sequence[QualityResult]
    windows: Sequence[str]
    outputs: Collection[str]
    was_lively: Callable[[str, int], bool]
    is_rescaled: Callable[[str, int], bool]

    def faults(self, position: int) -> tuple[QualityResult, ...]:
        """What a pipeline broke in a window.

        New categories and numbers out of range may as well be the world; but categories of which nearly all are new
        are a code table that was changed. A changed unit leaves the shape of a column as it was; a market does not.
        """
        found = (one for one in self.quality if one.window == self.windows[position])
        return tuple(one for one in found if self._is_fault(one, position))

    def _is_fault(self, result: QualityResult, position: int) -> bool:
        if result.feature in self.outputs and result.signal is not QualitySignal.NULL_RATE:
            return False
        if result.signal is QualitySignal.NEW_CATEGORY:
            return result.share >= _ALL_NEW and result.reference_share < 1 - _ALL_NEW
        if result.signal is QualitySignal.FROZEN:
            return self._stays_frozen(result)
        if result.signal is QualitySignal.UNIT_CHANGE:
            return self.is_rescaled(result.feature, position)
        return result.signal in _FAULTS

    def _stays_frozen(self, result: QualityResult) -> bool:
        """True if the column stands still in three windows in a row, or in all if there are fewer, or stopped at once.

        When most rows come to share one value, a window of a few hundred may hold that value alone by chance; a pipeline
        that froze gives it in every window until it is mended. A column that was lively in the window before has stopped.
        """
        frozen = {one.window for one in self.quality if (one.feature, one.signal) == (result.feature, result.signal)}
        run = 0
        for place, window in enumerate(self.windows):
            run = run + 1 if window in frozen else 0
            if run >= min(_FROZEN_WINDOWS, len(self.windows)):
                return True
            if run == 1 and place > 0 and self.was_lively(result.feature, place - 1):
                return True
        return False


def is_rescaled(reference: FeatureReference, values: pl.Series) -> bool:
    """True if a number column is as it was in training once its spread is brought back: a PSI below 0.1."""
    numbers = as_numbers(values)
    edges = np.asarray(reference.edges, dtype=np.float64)
    shares = np.cumsum(np.asarray(reference.counts[: len(edges) + 1], dtype=np.float64))
    if len(edges) < 2 or shares[-1] == 0 or not np.isfinite(numbers).any():
        return False
    now = np.quantile(numbers[np.isfinite(numbers)], shares[:-1] / shares[-1])
    spread, before = float(now[-1] - now[0]), float(edges[-1] - edges[0])
    if spread <= 0 or before <= 0:
        return False
    counts = count_bins(reference, pl.Series(numbers * before / spread))
    ordinary = slice(0, len(edges) + 1)
    return smoothed_psi(reference.counts[ordinary], counts[ordinary]) < _SAME_SHAPE


def fault_evidence(
    faults: Sequence[QualityResult], sources: Mapping[str, Sequence[str]], since: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """Each fault in words, and the source that several of them have in common.

    Parameters
    ----------
    sources
        Columns by the system they come from.
    since
        The window in which each column's fault was seen first.
    """
    found = [_in_words(one, since.get(one.feature, "")) for one in sorted(faults, key=lambda one: -one.share)]
    broken = {one.feature for one in faults}
    for source, columns in sources.items():
        hit = sorted(broken & set(columns))
        if len(hit) >= _FEWEST_OF_A_SOURCE:
            says = f"{len(hit)} of {len(columns)} columns of the source {source} broke together: {', '.join(hit[:5])}."
            found.append(
                Evidence(f"columns of {source}", float(len(hit)), float(_FEWEST_OF_A_SOURCE), found=True, says=says)
            )
    return tuple(found)


def _in_words(result: QualityResult, since: str) -> Evidence:
    now, before = format_percent(result.share), format_percent(result.reference_share)
    detail = f" ({result.detail})" if result.detail else ""
    first = f", since {since}" if since and since != result.window else ""
    words = _WORDS.get(result.signal, result.signal.value.replace("-", " ")).format(now=now, before=before)
    says = f"{result.feature} {words}{detail}{first}."
    name = f"{result.signal.value.replace('-', ' ')} of {result.feature}"
    return Evidence(name, result.share, result.reference_share, found=True, says=says)
