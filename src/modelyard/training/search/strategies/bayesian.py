"""Bayesian search with Optuna's tree-structured Parzen estimator (Bergstra et al., 2011), asked and told by the driver."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelyard.training.families.family import Dimension
from modelyard.training.records import Candidate
from modelyard.training.search.strategies.strategy import Ground, Suggestion

if TYPE_CHECKING:
    import optuna

__all__ = ["BayesianSearch"]

_RANDOM_TRIALS = 4


class BayesianSearch:
    """Suggests what is likely to be better than most, from the scores so far; proven points come first.

    Parameters
    ----------
    ground
        What is searched.
    rounds
        Configurations to try.
    """

    def __init__(self, ground: Ground, rounds: int) -> None:
        import optuna

        self._ground = ground
        self.planned = rounds
        self._suggested = 0
        self._space = {name: _distribution(dimension) for name, dimension in ground.space.items()}
        with _quiet():
            self._study = optuna.create_study(
                direction="maximize" if ground.greater_is_better else "minimize",
                sampler=optuna.samplers.TPESampler(seed=ground.seed, n_startup_trials=_RANDOM_TRIALS),
            )
        self._proven = [point for params in ground.proven if (point := _within(params, ground.space))]
        self._asked: list[optuna.trial.Trial] = []

    def know(self, candidate: Candidate) -> None:
        """Take a score into account, if its configuration lies within the space and is alike else."""
        import optuna

        place = self._ground.place_of(candidate.params)
        if place is None or candidate.mean is None:
            return
        self._proven = [params for params in self._proven if not params.items() <= dict(candidate.params).items()]
        with _quiet():
            self._study.add_trial(
                optuna.trial.create_trial(params=self._coded(place), distributions=self._space, value=candidate.mean)
            )

    def suggest(self, most: int) -> list[Suggestion]:
        """The next configurations."""
        count = min(most, self.planned - self._suggested)
        with _quiet():
            for params in self._proven:
                self._study.enqueue_trial(self._coded(params))
            self._proven = []
            self._asked = [self._study.ask(self._space) for _ in range(count)]
        first = self._suggested + 1
        self._suggested += count
        return [
            Suggestion(number, {**self._ground.fixed, **self._decoded(trial.params)})
            for number, trial in enumerate(self._asked, first)
        ]

    def tell(self, scores: Sequence[float | None]) -> None:
        """Learn from the scores."""
        import optuna

        with _quiet():
            for trial, score in zip(self._asked, scores, strict=True):
                if score is None:
                    self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                else:
                    self._study.tell(trial, score)

    def _coded(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point in Optuna's words: of choices the place in their list, since a choice may be anything."""
        space = self._ground.space
        return {
            name: _place(space[name].choices, value) if space[name].choices else value for name, value in point.items()
        }

    def _decoded(self, point: Mapping[str, Any]) -> dict[str, Any]:
        space = self._ground.space
        return {name: space[name].choices[value] if space[name].choices else value for name, value in point.items()}


def _within(params: Mapping[str, Any], space: Mapping[str, Dimension]) -> dict[str, Any]:
    """The part of a proven point that the space knows; nothing if the space does not hold it."""
    known = {name: value for name, value in params.items() if name in space}
    return known if all(space[name].holds(value) for name, value in known.items()) else {}


def _place(choices: Sequence[Any], value: Any) -> int:
    """Where a value stands among choices; 1 and True are two values."""
    return next(place for place, choice in enumerate(choices) if choice == value and type(choice) is type(value))


def _distribution(dimension: Dimension) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.choices:
        return CategoricalDistribution(tuple(range(len(dimension.choices))))
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from writing a line per trial to standard error; our progress says it."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
