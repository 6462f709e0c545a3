"""The rule by which predictions get an interval or a set, and what that promises."""

import numpy as np

from modelyard.conformal import ConformalRule, calibrate_intervals, calibrate_sets
from modelyard.data import Split
from modelyard.evaluation.conformal.held_out import HeldOut, promise
from modelyard.evaluation.conformal.records import Regions
from modelyard.problem import Problem, Task
from modelyard.training.run import StoredRun

__all__ = ["calibrate_regions"]


def calibrate_regions(run: StoredRun, split: Split, problem: Problem, base: HeldOut | None) -> Regions | None:
    """The rule, on which rows it rests and what it promises; no rule, with the reason, if there are too few rows.

    Parameters
    ----------
    base
        The rows to calibrate on; without them, or a coverage in the project file, there are no regions.
    """
    coverage = problem.evaluation.coverage
    if coverage is None or base is None:
        return None
    rule = _rule(problem, base, coverage, classes=len(run.record.classes))
    if rule is None:
        least = int(np.ceil(coverage / (1 - coverage) - 1e-9))
        unit = "rows" if base.groups is None else "groups"
        few = f"{100 * coverage:.3g} % of the cases cannot be promised from {base.size} {unit}; it takes at least {least}."
        return Regions(coverage, None, few, base.size)
    each = " of each class" if problem.task.is_classification else ""
    promised = promise(problem, split, f"{100 * coverage:.3g} %", each=each)
    return Regions(coverage, rule, f"Calibrated on {base.where}. {promised}", base.size, in_sample=True)


def _rule(problem: Problem, base: HeldOut, coverage: float, *, classes: int) -> ConformalRule | None:
    if problem.task is Task.REGRESSION:
        intervals = calibrate_intervals(base.truth, base.predictions, coverage, groups=base.groups, scale=base.scale)
        return ConformalRule(coverage, intervals=intervals) if intervals else None
    sets = calibrate_sets(base.truth, base.predictions, classes, coverage, groups=base.groups)
    return ConformalRule(coverage, sets=sets) if any(sets.floors) else None
