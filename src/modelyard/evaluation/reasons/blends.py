"""Contributions of a blend from those of its members, where they add up.

Shapley values are linear in what is explained: a weighted mean of values, or of probabilities, has the weighted mean of its
members' contributions to these. Contributions in log odds do not add up to averaged probabilities, nor to a calibrated
mean; but those of a calibrated member by itself do, stretched, since its curve is a line in log odds.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.reasons.methods import Attribution, Encoded, kind_of, method_of
from modelyard.problem import Task
from modelyard.training.blending import BlendEstimator, Member

__all__ = ["blend_contributions", "blend_kinds", "can_explain_blend"]

Array = npt.NDArray[np.float64]
_ROUNDING = 1e-5
"""XGBoost adds contributions up in single precision."""

_LOG_ODDS = "log-odds"


def can_explain_blend(blend: BlendEstimator, task: Task) -> bool:
    """Whether all members have methods, whose amounts may add up; told by their kinds, before any row is looked at."""
    methods = [method_of(member.estimator) for member in blend.members]
    if any(method is None for method in methods):
        return False
    answers_itself = [_answers_itself(member, task) for member in blend.members]
    if blend.calibration is not None:
        return len(methods) == 1 and not answers_itself[0]
    return len(methods) == 1 or all(answers_itself)


def _answers_itself(member: Member, task: Task) -> bool:
    """Whether a member's contributions are to its answer, not to log odds."""
    return task is Task.REGRESSION or hasattr(member.estimator, "tree_") or hasattr(member.estimator, "estimators_")


def blend_kinds(blend: BlendEstimator) -> tuple[str, ...]:
    """Of what the members' methods are exact, each once."""
    methods = [method_of(member.estimator) for member in blend.members]
    return tuple(dict.fromkeys(kind_of(method) for method in methods if method))


def blend_contributions(blend: BlendEstimator, task: Task, encoded: Encoded) -> Attribution | None:
    """The weighted mean of the members' contributions, or the calibrated member's own.

    None if they do not add up after all, as those of a member that explains another number than it answers.
    """
    nothing = np.zeros(len(encoded.rows))
    found = Attribution(np.zeros_like(encoded.rows), nothing, nothing, "")
    for member in blend.members:
        part = _of_member(member, task, encoded)
        if part is None:
            return None
        found.amounts[:, member.start : member.stop] += member.weight * part.amounts
        base, margin = found.base + member.weight * part.base, found.margin + member.weight * part.margin
        found = dataclasses.replace(found, base=base, margin=margin, scale=part.scale)
    if blend.calibration is not None:
        slope, offset = blend.calibration.slope, blend.calibration.offset
        found = Attribution(
            slope * found.amounts, slope * found.base + offset, slope * found.margin + offset, found.scale
        )
    return found if _adds_up(blend, task, encoded, found) else None


def _of_member(member: Member, task: Task, encoded: Encoded) -> Attribution | None:
    method = method_of(member.estimator)
    return method(member.estimator, task, encoded.part(member.start, member.stop)) if method else None


def _adds_up(blend: BlendEstimator, task: Task, encoded: Encoded, found: Attribution) -> bool:
    """Whether the sums are the blend's answers, or the log odds of two classes; of several, one sum does not tell."""
    sums: Any = found.margin
    if found.scale == _LOG_ODDS:
        if task is Task.MULTICLASS:
            return True
        sums = 0.5 * (1 + np.tanh(sums / 2))  # the logistic function, without overflow
    return np.allclose(sums, _answers(blend, task, encoded), rtol=_ROUNDING, atol=_ROUNDING)


def _answers(blend: BlendEstimator, task: Task, encoded: Encoded) -> Array:
    if task is Task.REGRESSION:
        return blend.predict(encoded.rows)
    places = encoded.outputs + (task is Task.BINARY)
    return np.asarray(blend.predict_proba(encoded.rows)[np.arange(len(places)), places])
