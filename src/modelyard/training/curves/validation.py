"""The validation curve: what the tuned parameter that matters most did to the score, from the trials of tuning."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.curves.records import Trial, ValidationCurve
from modelyard.training.records import Candidate

__all__ = ["FEWEST_TRIALS", "validation_curve"]

Array = npt.NDArray[np.float64]

FEWEST_TRIALS = 6
_SHUFFLES = 500
_ERROR_RATE = 0.05
_SPAN_FOR_LOGARITHM = 8.0
_TUNED = "-tuned-"


@dataclasses.dataclass(frozen=True)
class _Tried:
    """Trials of one family: their scores, and the values of each parameter that varied."""

    candidates: tuple[Candidate, ...]
    scores: Array
    values: dict[str, Array]


def validation_curve(candidates: Sequence[Candidate], metric: str, *, seed: int) -> ValidationCurve | None:
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
    """
    tried = _tried(candidates)
    if tried is None:
        return None
    bases = {name: _parabola(values) for name, values in tried.values.items()}
    explained = {name: float(_explained(base, tried.scores[None])[0]) for name, base in bases.items()}
    parameter = max(explained, key=lambda name: explained[name])
    generator = np.random.default_rng(derive_seed(seed, "validation curve"))
    shuffled = generator.permuted(np.tile(tried.scores, (_SHUFFLES, 1)), axis=1)
    luckiest = np.max([_explained(base, shuffled) for base in bases.values()], axis=0)
    chance = float((1 + (luckiest >= explained[parameter]).sum()) / (1 + _SHUFFLES))
    trials = tuple(
        Trial(float(value), item.mean or 0.0, item.sd or 0.0)
        for value, item in sorted(
            zip(tried.values[parameter], tried.candidates, strict=True), key=lambda pair: (pair[0], pair[1].name)
        )
    )
    family, share = tried.candidates[0].family, explained[parameter]
    answer = _answer(parameter, trials, metric, share, chance)
    return ValidationCurve(metric, family, parameter, trials, share, chance, answer)


def _tried(candidates: Sequence[Candidate]) -> _Tried | None:
    """The complete trials of the family that was tuned, if they are enough and something varied."""
    tuned = [item for item in candidates if _TUNED in item.name]
    if not tuned:
        return None
    family, resampling = tuned[0].family, tuned[0].resampling  # what is resampled alone is no trial of tuning
    trials = tuple(
        item
        for item in candidates
        if item.is_complete
        and item.resampling is resampling
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


def _parabola(values: Array) -> Array:
    """An orthonormal basis of constant, slope and bend in a parameter."""
    if values.min() > 0 and values.max() / values.min() >= _SPAN_FOR_LOGARITHM:
        values = np.log(values)
    x = (values - values.mean()) / values.std()
    return np.asarray(np.linalg.qr(np.column_stack([np.ones_like(x), x, x**2]))[0])


def _explained(base: Array, scores: Array) -> Array:
    """The share of the variance of each row of scores that lies in the basis."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(((centred @ base) ** 2).sum(axis=1) / (centred**2).sum(axis=1))


def _answer(parameter: str, trials: Sequence[Trial], metric: str, share: float, chance: float) -> str:
    spec = metric_spec(metric)
    sign = 1 if spec.greater_is_better else -1
    best = max(trials, key=lambda trial: sign * trial.score)
    if chance > _ERROR_RATE:
        return (
            f"No tuned parameter stands out in {len(trials)} trials: {parameter} comes first, and by chance some parameter "
            f"would explain as much of {spec.title} in {100 * chance:.0f} of 100 searches."
        )
    edge = " at the edge of what was tried" if best in (trials[0], trials[-1]) else ""
    return (
        f"Of the tuned parameters {parameter} matters most: it explains {100 * share:.0f} % of the differences of "
        f"{spec.title} between {len(trials)} trials; the best trial has {format_number(best.value)}{edge}."
    )
