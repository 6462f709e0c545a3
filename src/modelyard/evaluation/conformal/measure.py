"""How often the intervals or sets held the truth: overall, by class, by segment."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.conformal import ConformalRule
from modelyard.evaluation.analytic import share_interval
from modelyard.evaluation.conformal.records import RegionCoverage, Regions
from modelyard.evaluation.segments import few_rows, segment_members
from modelyard.evaluation.systems import WINNER, JudgedRows

__all__ = ["measure_regions"]


@dataclasses.dataclass(frozen=True)
class _Judged:
    """Whether each row was covered, and how large its region is."""

    covered: npt.NDArray[np.bool_]
    size: npt.NDArray[np.float64]
    units: npt.NDArray[Any] | None

    def of(
        self, members: npt.NDArray[np.intp], column: str = "", value: str = "", *, confidence: float
    ) -> RegionCoverage:
        """The coverage of some of the rows."""
        units = None if self.units is None else self.units[members]
        low, high = share_interval(self.covered[members], confidence, units)
        rows = len(members)
        covered, size = float(self.covered[members].mean()), float(self.size[members].mean())
        return RegionCoverage(column, value, rows, covered, low, high, size, few_rows(rows))


def measure_regions(
    asked: Regions | None, rows: JudgedRows, columns: Sequence[str], classes: Sequence[str], *, confidence: float
) -> Regions | None:
    """The same regions with their coverage on ``rows``.

    Parameters
    ----------
    asked
        With a rule; without one, or None, there is nothing to measure.
    columns
        Segments; absent columns are passed over.
    confidence
        Of the interval of coverage of all rows; those of the classes hold together, and those of the segments.
    """
    if asked is None or asked.rule is None or not len(rows.truth):
        return asked
    judged = dataclasses.replace(_judge(asked.rule, rows), units=rows.units)
    segments = segment_members(rows.frame, columns)
    by_class = [(name, np.flatnonzero(rows.truth == code)) for code, name in enumerate(classes)]
    each_segment, each_class = (1 - (1 - confidence) / max(len(parts), 1) for parts in (segments, by_class))
    return dataclasses.replace(
        asked,
        part=rows.part,
        in_sample=rows.part != "test",
        overall=judged.of(np.arange(len(rows.truth)), confidence=confidence),
        classes=tuple(judged.of(found, "", name, confidence=each_class) for name, found in by_class if len(found)),
        segments=tuple(judged.of(found, column, value, confidence=each_segment) for column, value, found in segments),
        sizes=_sizes(judged, len(classes)),
    )


def _judge(rule: ConformalRule, rows: JudgedRows) -> _Judged:
    predictions = rows.predictions[WINNER]
    if rule.intervals is not None:
        low, high = rule.intervals.ends(predictions)
        return _Judged((low <= rows.truth) & (rows.truth <= high), high - low, None)
    members = rule.sets.members(predictions) if rule.sets else np.ones((len(rows.truth), 1), dtype=bool)
    covered = members[np.arange(len(members)), rows.truth.astype(np.intp)]
    return _Judged(covered, members.sum(axis=1).astype(np.float64), None)


def _sizes(judged: _Judged, classes: int) -> tuple[float, ...]:
    """Share of the rows by number of classes in the set, from 0 on."""
    if not classes:
        return ()
    counts = np.bincount(judged.size.astype(np.intp), minlength=classes + 1)
    return tuple((counts / counts.sum()).tolist())
