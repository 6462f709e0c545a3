"""What a search came to, and the winner fitted on all rows: how much of them, and how often, is a matter of time."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from modelyard.core import Progress
from modelyard.training.choosing.rule import Choice
from modelyard.training.curves import LearningCurve, WeightComparison
from modelyard.training.curves.evenness import is_uneven
from modelyard.training.curves.learning import draw_learning_curve, is_affordable
from modelyard.training.curves.learnt import on_rows_learnt, trials_are_affordable
from modelyard.training.curves.validation import telling_trials
from modelyard.training.curves.weights import compare_weights
from modelyard.training.engine.bench import Bench
from modelyard.training.families.family import Family
from modelyard.training.model import FittedModel
from modelyard.training.nesting import NestedScore
from modelyard.training.planning import WorkPlan
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.carrying_out import SearchEnd
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.search.fewer_rows import affordable_share, some_rows
from modelyard.training.search.fits import fits_in_time, fits_sentence, fits_within, fitted_often, may_fit_again
from modelyard.training.search.matrices import FoldMatrices
from modelyard.training.winner import Verdict, bare_name, candidate_of, fit_winner, members_of

__all__ = ["Conclusion", "as_much_as_time_allows", "as_often_as_time_allows", "fit_conclusion", "look_closer"]


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """What a search came to: the plan, how far it came, the choice, and what was seen of the winner besides.

    Of trials of tuning ``learnt`` holds the metric on the rows that they learnt from.
    """

    plan: WorkPlan
    end: SearchEnd
    verdict: Verdict
    curve: LearningCurve | None = None
    learnt: Mapping[str, float] = dataclasses.field(default_factory=dict)
    weights: WeightComparison | None = None
    nested: NestedScore | None = None
    fitted_share: float = 1.0
    fits: int = 1
    fits_words: str = ""

    @property
    def choice(self) -> Choice:
        """The winner, and the reason for it."""
        return self.verdict.choice

    @property
    def why(self) -> str:
        """The reason for the choice, what the whole search is worth, and how often the winner was fitted."""
        nested = "" if self.nested is None else self.nested.sentence
        return " ".join(sentence for sentence in (self.choice.why, nested, self.fits_words) if sentence)


def look_closer(
    validation: CrossValidation,
    matrices: FoldMatrices,
    setup: Setup,
    conclusion: Conclusion,
    families: Mapping[str, Family],
) -> Conclusion:
    """Trials on the rows learnt from, the winner by the number of rows and with class weights, if asked for, or cheap.

    Ctrl-C forgoes what is left.
    """
    plan = setup.problem.training
    winner = candidate_of(bare_name(conclusion.choice.winner), validation.candidates)
    family = families.get(winner.family)
    try:
        conclusion = dataclasses.replace(conclusion, learnt=_learnt(validation, setup, families))
        if family is None:
            return conclusion
        cheap = plan.budget is None and is_affordable(validation.candidates, winner)
        if plan.learning_curve is True or (plan.learning_curve == "auto" and cheap):
            curve = draw_learning_curve(validation, matrices, setup, winner, family)
            conclusion = dataclasses.replace(conclusion, curve=curve)
        if conclusion.weights is not None or winner.resampling:
            return conclusion
        if plan.imbalance is True or (plan.imbalance == "auto" and cheap and is_uneven(setup)):
            weights = compare_weights(validation, setup, winner, family)
            conclusion = dataclasses.replace(conclusion, weights=weights)
    except KeyboardInterrupt:
        return conclusion
    return conclusion


def _learnt(validation: CrossValidation, setup: Setup, families: Mapping[str, Family]) -> dict[str, float]:
    """Figures of the telling trials on the rows that they learnt from."""
    plan, metric = setup.problem.training, setup.question.metric
    trials = telling_trials(validation.candidates, metric, seed=setup.seed)
    cheap = plan.budget is None and trials_are_affordable(validation.candidates, trials)
    if plan.validation_curve is True or (plan.validation_curve == "auto" and cheap):
        return on_rows_learnt(trials, validation, families, metric)
    return {}


def as_much_as_time_allows(
    conclusion: Conclusion, validation: CrossValidation, setup: Setup, bench: Bench
) -> Conclusion:
    """With the share of the rows that the winner is fitted on; a repeated run takes the earlier one's."""
    if bench.replay is not None:
        return dataclasses.replace(conclusion, fitted_share=bench.replay.fitted_share)
    winner = candidate_of(conclusion.choice.winner, validation.candidates)
    fitted = [
        (member, family)
        for member, family in _members(winner, validation, bench)
        for _ in range(winner.seeds.get(bare_name(member.name), 1))
    ]
    share = affordable_share(fitted, validation, setup, bench.clock)
    if share == 1.0:
        return conclusion
    end = conclusion.end.also(
        f"The winner was fitted on {share:.0%} of the rows, as many as the time that was left allowed."
    )
    return dataclasses.replace(conclusion, fitted_share=share, end=end)


def as_often_as_time_allows(
    conclusion: Conclusion, validation: CrossValidation, setup: Setup, bench: Bench
) -> Conclusion:
    """With how often the winner is fitted, each time with another seed; a repeated run does it as often as the earlier one."""
    winner = candidate_of(conclusion.choice.winner, validation.candidates)
    members = _members(winner, validation, bench)
    asked, most, against = setup.problem.training.fits, 1, ""
    if bench.replay is not None:
        fits = bench.replay.fits
    elif winner.seeds or not conclusion.end.finished:
        return conclusion
    else:
        if asked != "auto":
            most = asked
        elif may_fit_again(setup.problem):
            most = fits_in_time(members, validation, setup, bench.clock)
        fits, against = fits_within(winner, members, setup, most)
    return dataclasses.replace(conclusion, fits=fits, fits_words=fits_sentence(members, fits, against))


def fit_conclusion(
    tables: Mapping[str, pl.DataFrame],
    validation: CrossValidation,
    conclusion: Conclusion,
    setup: Setup,
    bench: Bench,
    folder: Path,
    progress: Progress,
) -> dict[str, FittedModel]:
    """The winner on all rows of each table; after an interruption in this process, since workers are gone."""
    winner = candidate_of(conclusion.choice.winner, validation.candidates)
    executor = bench.executor if conclusion.end.finished else None
    tables = {name: some_rows(frame, setup, conclusion.fitted_share) for name, frame in tables.items()}
    winner = fitted_often(winner, _members(winner, validation, bench), conclusion.fits)
    return fit_winner(winner, validation, setup, tables, bench.families, folder, executor=executor, progress=progress)


def _members(winner: Candidate, validation: CrossValidation, bench: Bench) -> list[tuple[Candidate, Family]]:
    """What a winner is made of, with their families; nothing, if it is a baseline."""
    made_of = (candidate_of(name, validation.candidates) for name in members_of(winner))
    return [(member, bench.families[member.family]) for member in made_of if member.family in bench.families]
