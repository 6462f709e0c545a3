"""The validation curve: what the tuned parameter that matters most did to the score, from the trials of tuning."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.curves.ends import Axis, diagnose_ends
from modelyard.training.curves.records import Trial, ValidationCurve
from modelyard.training.records import NAIVE, Candidate

__all__ = ["FEWEST_TRIALS", "telling_trials", "validation_curve"]

Array = npt.NDArray[np.float64]

FEWEST_TRIALS = 6
_LOOKED_AT = 5
_SHUFFLES = 500
_ERROR_RATE = 0.05
_TUNED = "-tuned-"


@dataclasses.dataclass(frozen=True)
class _Tried:
    """Trials of one family: their scores, and the values of each parameter that varied."""

    candidates: tuple[Candidate, ...]
    scores: Array
    values: dict[str, Array]


@dataclasses.dataclass(frozen=True)
class _Telling:
    """The parameter that explains most: how much, how often chance would, and the trials in the order of its values."""

    parameter: str
    explained: float
    chance: float
    trials: tuple[Candidate, ...]
    values: tuple[float, ...]

    @property
    def matters(self) -> bool:
        """Whether it explains more than chance would."""
        return self.chance <= _ERROR_RATE


def validation_curve(
    candidates: Sequence[Candidate], metric: str, *, seed: int, learnt: Mapping[str, float] | None = None
) -> ValidationCurve | None:
    """The parameter whose values explain the trials' scores best; None for fewer than six trials.

    Each parameter is judged alone, by the share of the scores' variance that a parabola in it explains, on a logarithmic
    scale where its values span a factor of eight. Whether the best of them explains more than the luckiest parameter
    would by chance is asked of 500 shufflings of the scores. Tuning moves all parameters at once and looks where it is
    good already, so this is what the trials show, not an experiment.

    Parameters
    ----------
    candidates
        All of the run; the default of the family that was tuned counts as a trial.
    seed
        Of the shuffling.
    learnt
        The metric on the rows learnt from, by trial; of :func:`telling_trials` or of none.
    """
    telling, learnt = _telling(candidates, seed), learnt or {}
    if telling is None:
        return None
    trials = tuple(
        Trial(value, item.mean or 0.0, item.sd or 0.0, learnt.get(item.name))
        for value, item in zip(telling.values, telling.trials, strict=True)
    )
    naive = next((item.mean for item in candidates if item.name == NAIVE), None)
    return ValidationCurve(
        metric=metric,
        family=telling.trials[0].family,
        parameter=telling.parameter,
        trials=trials,
        explained=telling.explained,
        chance=telling.chance,
        answer=_answer(telling, trials, metric),
        diagnosis=diagnose_ends(telling.parameter, trials, metric, naive) if telling.matters else "",
    )


def telling_trials(candidates: Sequence[Candidate], metric: str, *, seed: int) -> tuple[Candidate, ...]:
    """The trials whose figures on the rows learnt from would show over- and underfitting, by value of the parameter.

    Those at both ends, the best, and what lies between until they are five; none where no parameter stands out. The parameters are
    those of :func:`validation_curve`.
    """
    telling = _telling(candidates, seed)
    if telling is None or not telling.matters:
        return ()
    trials, sign = telling.trials, 1 if metric_spec(metric).greater_is_better else -1
    places = {0, len(trials) - 1, max(range(len(trials)), key=lambda at: sign * (trials[at].mean or 0.0))}
    while len(places) < _LOOKED_AT:
        low, high = max(itertools.pairwise(sorted(places)), key=lambda pair: pair[1] - pair[0])
        places.add((low + high) // 2)
    return tuple(trials[at] for at in sorted(places))


def _telling(candidates: Sequence[Candidate], seed: int) -> _Telling | None:
    """The parameter that explains most; None for too few trials."""
    tried = _tried(candidates)
    if tried is None:
        return None
    axes = {name: Axis.of(values) for name, values in tried.values.items()}
    explained = {name: float(axis.explained(tried.scores[None])[0]) for name, axis in axes.items()}
    parameter = max(explained, key=lambda name: explained[name])
    generator = np.random.default_rng(derive_seed(seed, "validation curve"))
    shuffled = generator.permuted(np.tile(tried.scores, (_SHUFFLES, 1)), axis=1)
    luckiest = np.max([axis.explained(shuffled) for axis in axes.values()], axis=0)
    chance = float((1 + (luckiest >= explained[parameter]).sum()) / (1 + _SHUFFLES))
    ordered = sorted(
        zip(tried.values[parameter].tolist(), tried.candidates, strict=True), key=lambda pair: (pair[0], pair[1].name)
    )
    values, trials = zip(*ordered, strict=True)
    return _Telling(parameter, explained[parameter], chance, trials, values)


def _tried(candidates: Sequence[Candidate]) -> _Tried | None:
    """The complete trials of the family that was tuned, if they are enough and something varied."""
    tuned = [item for item in candidates if _TUNED in item.name]
    if not tuned:
        return None
    # What was only resampled, averaged over seeds or calibrated besides is no trial of tuning.
    family, resampling = tuned[0].family, tuned[0].resampling
    trials = tuple(
        item
        for item in candidates
        if item.is_complete
        and item.resampling is resampling
        and not item.seeds
        and item.calibration is None
        and (item.name == family or item.name.startswith(family + _TUNED))
    )
    if len(trials) < FEWEST_TRIALS:
        return None
    names = [name for name in trials[0].params if all(_is_number(item.params.get(name)) for item in trials)]
    values = {name: np.array([float(item.params[name]) for item in trials]) for name in names}
    varied = {name: found for name, found in values.items() if len(np.unique(found)) > 2}
    scores = np.array([item.mean for item in trials], dtype=np.float64)
    return _Tried(trials, scores, varied) if varied and np.ptp(scores) > 0 else None


def _is_number(value: object) -> bool:
    """True for what has a place on an axis: words and yes or no, which a space may list, have none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _answer(telling: _Telling, trials: Sequence[Trial], metric: str) -> str:
    spec, parameter = metric_spec(metric), telling.parameter
    sign = 1 if spec.greater_is_better else -1
    best = max(trials, key=lambda trial: sign * trial.score)
    if not telling.matters:
        return (
            f"No tuned parameter stands out in {len(trials)} trials: {parameter} comes first, and by chance some parameter "
            f"would explain as much of {spec.title} in {100 * telling.chance:.0f} of 100 searches."
        )
    edge = ", at the edge of what was tried" if best in (trials[0], trials[-1]) else ""
    return (
        f"Of the tuned parameters {parameter} matters most: it explains {100 * telling.explained:.0f} % of the differences of "
        f"{spec.title} between {len(trials)} trials; the best trial has {format_number(best.value)}{edge}."
    )
