"""The rule by which predictions get quantiles, and what that promises."""

import numpy as np

from modelyard.conformal import calibrate_quantiles, fewest_units, level_name, predictive_quantile
from modelyard.data import Split, check_quantiles
from modelyard.evaluation.conformal.held_out import HeldOut, promise
from modelyard.evaluation.quantiles.records import Quantiles
from modelyard.problem import Problem
from modelyard.training.run import StoredRun

__all__ = ["prepare_quantiles"]


def prepare_quantiles(run: StoredRun, split: Split, problem: Problem, base: HeldOut | None) -> Quantiles | None:
    """The rule, on the same rows as that of intervals.

    Parameters
    ----------
    base
        The rows to calibrate on; without them, or levels in the project file, there are no quantiles.

    Raises
    ------
    ConfigError
        If quantiles are asked for, and the run is no regression.
    """
    check_quantiles(problem, run.record.task)
    levels = problem.evaluation.quantiles
    if not levels or base is None:
        return None
    rule = calibrate_quantiles(base.truth, base.predictions, levels, groups=base.groups, scale=base.scale)
    missing = [level for level in levels if rule is None or level not in rule.levels]
    left_out = f" {_too_few(base, missing)}" if missing else ""
    if rule is None:
        return Quantiles(levels, None, left_out.strip(), base.size)
    promised = promise(problem, split, "the stated shares")
    return Quantiles(
        levels,
        rule,
        f"Calibrated on {base.where}. {promised}{left_out}",
        base.size,
        plain=tuple(_plain(base, level) for level in rule.levels),
        in_sample=True,
    )


def _too_few(base: HeldOut, missing: list[float]) -> str:
    unit = "rows" if base.groups is None else "groups"
    named = ", ".join(f"{level_name(level)} (at least {fewest_units(level)})" for level in missing)
    return f"{base.size} {unit} are too few for the quantile at {named}."


def _plain(base: HeldOut, level: float) -> float:
    """What would be said of every row if nothing were known about it."""
    known = predictive_quantile(base.truth, level, base.groups)
    return float(np.quantile(base.truth, level)) if known is None else known
