"""Gaps between groups: demographic parity, equal opportunity, equalised odds (Hardt, Price and Srebro, 2016).

Differences and ratios are those between the groups with the highest and the lowest rate, as fairlearn defines them. With
many groups some gap is there by chance alone, so the chance of one as large is told as well: groups are dealt out anew,
and the gaps counted that are as large.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.evaluation.fairness.records import FairnessGap
from modelyard.evaluation.intervals import bootstrap
from modelyard.evaluation.segments import segment_labels
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, Task
from modelyard.training.metrics import decide_labels

__all__ = ["measure_gaps"]

Array = npt.NDArray[np.float64]
_FEWEST_ROWS, _FEWEST_OF_A_RATE = 50, 20
_REPEATS, _DEALS = 400, 400


@dataclasses.dataclass(frozen=True)
class _Rate:
    """The share of ``labels`` among the rows where ``counted`` is 1, by group."""

    name: str
    labels: Array
    counted: Array


def measure_gaps(problem: Problem, rows: JudgedRows, *, confidence: float, seed: int) -> tuple[FairnessGap, ...]:
    """All measures for each protected column that the rows hold; nothing unless there are two classes.

    Groups are those of the segments: numbers are cut at their quartiles, rare values taken together.

    Parameters
    ----------
    confidence
        Of each interval, on its own.
    """
    if problem.task is not Task.BINARY:
        return ()
    found: list[FairnessGap] = []
    for column in (name for name in problem.protected if name in rows.frame.columns):
        names, codes = np.unique(segment_labels(rows.frame[column]).to_numpy().astype(str), return_inverse=True)
        groups = _Groups(column, names.tolist(), codes.reshape(-1), rows.units)
        gaps = {
            rate.name: _gap(groups, rate, confidence=confidence, seed=derive_seed(seed, column, rate.name))
            for rate in _rates(rows)
        }
        found += _named(gaps)
    return tuple(found)


def _rates(rows: JudgedRows) -> list[_Rate]:
    label = np.asarray(decide_labels(rows.predictions[WINNER], rows.threshold), dtype=np.float64)
    return [
        _Rate("selection", label, np.ones(len(label))),
        _Rate("true positive", label, rows.truth),
        _Rate("false positive", label, 1 - rows.truth),
    ]


def _named(gaps: dict[str, FairnessGap | None]) -> list[FairnessGap]:
    """The three measures, as far as their rates could be judged; equalised odds is the larger of two gaps."""
    selection, found, alarms = (gaps[name] for name in ("selection", "true positive", "false positive"))
    measures = []
    if selection is not None:
        measures.append(dataclasses.replace(selection, measure="demographic parity"))
    if found is not None:
        measures.append(dataclasses.replace(found, measure="equal opportunity"))
    if found is not None and alarms is not None:
        larger = max(found, alarms, key=lambda gap: gap.difference)
        smaller = min(found, alarms, key=lambda gap: math.inf if gap.ratio is None else gap.ratio)
        ratio = {name: getattr(smaller, name) for name in ("ratio", "ratio_low", "ratio_high")}
        measures.append(dataclasses.replace(larger, measure="equalised odds", **ratio))
    return measures


@dataclasses.dataclass(frozen=True)
class _Groups:
    """Who belongs where: the groups' names, and each row's group by its place among them."""

    column: str
    names: Sequence[str]
    codes: npt.NDArray[np.intp]
    units: npt.NDArray[Any] | None

    def dealt(self, generator: np.random.Generator) -> npt.NDArray[np.intp]:
        """The rows' groups, dealt out anew; rows of one unit stay together if they share their group."""
        if self.units is not None:
            _, first, unit = np.unique(self.units, return_index=True, return_inverse=True)
            if (self.codes[first][unit.reshape(-1)] == self.codes).all():
                return np.asarray(generator.permutation(self.codes[first])[unit.reshape(-1)], dtype=np.intp)
        return generator.permutation(self.codes)


def _gap(groups: _Groups, rate: _Rate, *, confidence: float, seed: int) -> FairnessGap | None:
    """The gap of one rate; None if fewer than two groups can be judged."""
    sizes = np.bincount(groups.codes, minlength=len(groups.names))
    of_rate = np.bincount(groups.codes, rate.counted, minlength=len(groups.names))
    judged = np.flatnonzero((sizes >= _FEWEST_ROWS) & (of_rate >= _FEWEST_OF_A_RATE))
    if len(judged) < 2:
        return None
    shares = _shares(rate, groups.codes, len(groups.names))[judged]
    lowest, highest = judged[np.argmin(shares)], judged[np.argmax(shares)]
    pair = [(groups.codes == place).astype(np.float64) * rate.counted for place in (lowest, highest)]

    def statistic(weights: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = ((weights @ (rows * rate.labels)) / (weights @ rows) for rows in pair)
            return np.column_stack([high - low, low / high])

    samples = bootstrap(statistic, len(groups.codes), seed=seed, groups=groups.units, repeats=_REPEATS)
    difference, low, high = samples.interval(0, confidence)
    ratio = samples.interval(1, confidence)
    return FairnessGap(
        column=groups.column,
        measure="",
        rate=rate.name,
        difference=difference,
        low=_known(low),
        high=_known(high),
        ratio=_known(ratio.value),
        ratio_low=_known(ratio.low),
        ratio_high=_known(ratio.high),
        p_value=_chance(groups, rate, judged, difference, seed),
        lowest=groups.names[lowest],
        highest=groups.names[highest],
        groups=len(judged),
        rows=int(sizes[judged].sum()),
        left_out=tuple(name for place, name in enumerate(groups.names) if place not in judged),
    )


def _shares(rate: _Rate, codes: npt.NDArray[np.intp], groups: int) -> Array:
    counted = np.bincount(codes, rate.counted, minlength=groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.bincount(codes, rate.counted * rate.labels, minlength=groups) / counted)


def _chance(groups: _Groups, rate: _Rate, judged: npt.NDArray[np.intp], difference: float, seed: int) -> float:
    """How often groups dealt out at random among the rows of the rate are as far apart."""
    inside = np.isin(groups.codes, judged) & (rate.counted > 0)
    units = None if groups.units is None else groups.units[inside]
    part = _Groups(groups.column, groups.names, groups.codes[inside], units)
    narrowed = _Rate(rate.name, rate.labels[inside], rate.counted[inside])
    generator, as_large = np.random.default_rng(seed), 0
    for _ in range(_DEALS):
        shares = _shares(narrowed, part.dealt(generator), len(groups.names))[judged]
        as_large += bool(np.nanmax(shares) - np.nanmin(shares) >= difference - 1e-12)
    return (as_large + 1) / (_DEALS + 1)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
