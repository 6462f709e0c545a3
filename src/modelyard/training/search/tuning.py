"""Bayesian tuning with Optuna's tree-structured Parzen estimator (Bergstra et al., 2011), asked and told by the driver.

Suggestions come in batches of a fixed size and their results are told in the order of suggestion, so the search is the
same however many workers there are, and whichever of them is first.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from modelyard.core import derive_seed
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, Family
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe

if TYPE_CHECKING:
    import optuna

__all__ = ["BATCH", "Tuner", "leading_family", "tune"]

BATCH = 4
"""Suggestions made before the results of any of them are known."""

_RANDOM_TRIALS = 4


def tune(
    validation: CrossValidation,
    families: Sequence[Family],
    rounds: int,
    *,
    seed: int,
    allows: Callable[[str, str], bool] = lambda _name, _family: True,
    race: bool = False,
) -> bool:
    """Spend ``rounds`` configurations on the family that leads; the candidates are added to ``validation``.

    Parameters
    ----------
    validation
        Holds the candidates so far, the families' defaults among them.
    families
        Those that may be tuned.
    rounds
        Configurations to try; 0 for none.
    seed
        Of the search.
    allows
        Whether a candidate of that name and family may be begun; the first that may not ends tuning.
    race
        Whether candidates that are hopeless on the first fold are given up.

    Returns
    -------
    bool
        False if time ran out before all rounds were done.
    """
    leader = leading_family(validation, families)
    if leader is None or rounds == 0:
        return True
    family, _ = leader
    tuner = Tuner(family, validation.task, validation.greater_is_better, derive_seed(seed, "tuning", family.name))
    for candidate in validation.candidates:
        if candidate.family == family.name:
            tuner.know(candidate)
    done = 0
    while done < rounds and not validation.out_of_time:
        suggested = tuner.suggest(min(BATCH, rounds - done))
        named = [(f"{family.name}-tuned-{done + index}", params) for index, params in enumerate(suggested, 1)]
        recipes = [Recipe(name, family, params) for name, params in named if allows(name, family.name)]
        if not recipes:
            break
        made = {item.name: item.mean for item in validation.evaluate(recipes, step="tuning", planned=rounds, race=race)}
        tuner.tell([made.get(name) for name, _ in named])
        done += len(suggested)
    return done >= rounds


def leading_family(validation: CrossValidation, families: Sequence[Family]) -> tuple[Family, Candidate] | None:
    """The best family with more than one parameter to tune, else the best with one; None if none was scored."""
    sign = 1 if validation.greater_is_better else -1
    scored = [
        ((len(family.space(validation.task)) > 1, sign * candidate.mean), family, candidate)
        for family in families
        for candidate in validation.candidates
        if candidate.name == family.name and candidate.mean is not None and family.space(validation.task)
    ]
    if not scored:
        return None
    _, family, candidate = max(scored, key=lambda item: item[0])
    return family, candidate


class Tuner:
    """Suggests configurations of one family, and learns from their scores.

    Parameters
    ----------
    family, task
        What is tuned; parameters outside the family's space keep their defaults.
    greater_is_better
        The direction of the scores.
    seed
        Of the sampler.
    """

    def __init__(self, family: Family, task: Task, greater_is_better: bool, seed: int) -> None:
        import optuna

        self._fixed = dict(family.defaults(task))
        self._space = {name: _distribution(dimension) for name, dimension in family.space(task).items()}
        with _quiet():
            self._study = optuna.create_study(
                direction="maximize" if greater_is_better else "minimize",
                sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=_RANDOM_TRIALS),
            )
        self._proven = [dict(params) for params in family.portfolio(task)]
        self._asked: list[optuna.trial.Trial] = []

    def know(self, candidate: Candidate) -> None:
        """Tell the score of a configuration that was not suggested here, if it lies within the space and is alike else."""
        import optuna

        inside = all(
            name in candidate.params and distribution._contains(candidate.params[name])  # noqa: SLF001
            for name, distribution in self._space.items()
        )
        others = {name: value for name, value in candidate.params.items() if name not in self._space}
        fixed = {name: value for name, value in self._fixed.items() if name not in self._space}
        if not inside or others != fixed or candidate.mean is None:
            return
        known = {name: candidate.params[name] for name in self._space}
        self._proven = [params for params in self._proven if not params.items() <= dict(candidate.params).items()]
        with _quiet():
            self._study.add_trial(
                optuna.trial.create_trial(params=known, distributions=self._space, value=candidate.mean)
            )

    def suggest(self, count: int) -> list[dict[str, Any]]:
        """The next configurations, complete with the family's fixed parameters; proven ones that are not known come first."""
        with _quiet():
            for params in self._proven:
                self._study.enqueue_trial(params)
            self._proven = []
            self._asked = [self._study.ask(self._space) for _ in range(count)]
        return [{**self._fixed, **trial.params} for trial in self._asked]

    def tell(self, scores: Sequence[float | None]) -> None:
        """The scores of the last suggestions, in their order; None for one that failed or was not finished."""
        import optuna

        with _quiet():
            for trial, score in zip(self._asked, scores, strict=True):
                if score is None:
                    self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                else:
                    self._study.tell(trial, score)


def _distribution(dimension: Dimension) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import FloatDistribution, IntDistribution

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
