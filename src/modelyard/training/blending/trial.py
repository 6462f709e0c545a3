"""What blending and calibration would be worth: further candidates, scored by cross-fitting on the same folds."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.problem import metric_spec
from modelyard.training.blending.calibration import Calibration
from modelyard.training.blending.weights import cross_fitted, greedy_weights, teachers
from modelyard.training.folds import FoldPlan
from modelyard.training.records import BLEND, Candidate, CandidateRole, CandidateStatus

__all__ = ["CALIBRATED", "Trial", "blended", "calibrated", "costs_together"]

Array = npt.NDArray[np.float64]

CALIBRATED = "-calibrated"
"""What follows the name of a candidate whose probabilities are calibrated."""

_COMPLEXITY = 4
_MOST_OF_THE_BEST = 12
_CALIBRATION_ROWS = 500


@dataclasses.dataclass(frozen=True)
class Trial:
    """What is known of the folds.

    Parameters
    ----------
    truth
        Encoded target of the training part.
    plan
        The folds.
    metric
        The primary metric.
    predictions
        Gives the out-of-fold predictions of a candidate, by its name.
    """

    truth: Array
    plan: FoldPlan
    metric: str
    predictions: Callable[[str], Array]

    @property
    def parts(self) -> list[npt.NDArray[np.int64]]:
        """The rows that each fold holds out."""
        return [fold.held for fold in self.plan.folds]

    @property
    def forward(self) -> bool:
        """True if the folds follow one another in time."""
        return self.plan.strategy == "time"


def blended(candidates: Sequence[Candidate], trial: Trial) -> tuple[Candidate, Array] | None:
    """The weighted mean of the candidates that belong together, not scored yet, and its out-of-fold predictions.

    The weights shown are learnt from all rows held out; the predictions of each fold are made with weights from the
    other folds, so that the blend's score is that of rows which had no say in it.

    Parameters
    ----------
    candidates
        Complete, and allowed to win.

    Returns
    -------
    tuple or None
        None if no two of them are better than one.
    """
    best = _worth_weighing(candidates, trial)
    predictions = {item.name: trial.predictions(item.name) for item in best}
    if len(best) < 2:
        return None
    weights = greedy_weights(predictions, trial.truth, trial.parts, trial.metric)
    if len(weights) < 2:
        return None
    members = [item for item in best if item.name in weights]
    out_of_fold = cross_fitted(predictions, trial.truth, trial.parts, trial.metric, forward=trial.forward)
    return _candidate(members, weights), out_of_fold


def calibrated(candidate: Candidate, trial: Trial) -> tuple[Candidate, Array] | None:
    """A candidate of classes with calibrated probabilities, not scored yet, and its out-of-fold predictions.

    Each fold's probabilities are calibrated by the other folds' (in time: the earlier ones'; the first stays as it is); those of
    a candidate that learnt from classes made even with shifts, since its shares may be off.

    Returns
    -------
    tuple or None
        None if fewer than 500 rows were held out: their accidents would be learnt.
    """
    raw, shifts = trial.predictions(candidate.name), bool(candidate.resampling)
    held = np.concatenate(trial.parts)
    if len(held) < _CALIBRATION_ROWS:
        return None
    out_of_fold = raw.copy()
    for index, part in enumerate(trial.parts):
        others = teachers(trial.parts, index, forward=trial.forward)
        if others:
            rows = np.concatenate(others)
            out_of_fold[part] = Calibration.learn(trial.truth[rows], raw[rows], shifts=shifts).apply(raw[part])
    learnt = Calibration.learn(trial.truth[held], raw[held], shifts=shifts)
    return dataclasses.replace(candidate, name=f"{candidate.name}{CALIBRATED}", calibration=learnt), out_of_fold


def costs_together(members: Sequence[Candidate]) -> dict[str, float | None]:
    """What it costs to ask and to keep candidates together: ``predict_ms``, ``rows_per_s`` and ``size_mb`` of their sum."""
    rates = [item.rows_per_s for item in members]
    return {
        "predict_ms": sum(item.predict_ms or 0.0 for item in members),
        "rows_per_s": 1 / sum(1 / rate for rate in rates if rate) if all(rates) else None,
        "size_mb": sum(item.size_mb or 0.0 for item in members),
    }


def _worth_weighing(candidates: Sequence[Candidate], trial: Trial) -> list[Candidate]:
    """The best twelve, and the best of each other family: what errs otherwise helps, though it errs more. The best first."""
    sign = 1 if metric_spec(trial.metric).greater_is_better else -1
    ordered = sorted(candidates, key=lambda item: (-sign * (item.mean or 0.0), item.complexity))
    leaders = {item.family: item.name for item in reversed(ordered)}
    return [
        item for place, item in enumerate(ordered) if place < _MOST_OF_THE_BEST or leaders[item.family] == item.name
    ]


def _candidate(members: Sequence[Candidate], weights: dict[str, float]) -> Candidate:
    """A blend that costs what its members cost together."""
    costs = costs_together(members)
    return Candidate(
        name=BLEND,
        family=BLEND,
        role=CandidateRole.CANDIDATE,
        params={},
        status=CandidateStatus.DONE,
        fold_scores=(),
        mean=None,
        sd=None,
        fit_seconds=0.0,
        predict_ms=costs["predict_ms"],
        complexity=_COMPLEXITY,
        rows_per_s=costs["rows_per_s"],
        size_mb=costs["size_mb"],
        members=weights,
    )
