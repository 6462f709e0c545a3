"""The winner against itself with classes made even: the best way takes its place, if it gains more than its error."""

import dataclasses
from collections.abc import Callable, Mapping

from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.balancing.resampling import WORDS, Resampling
from modelyard.training.choosing.rule import Choice, violations
from modelyard.training.curves.evenness import is_uneven
from modelyard.training.curves.weights import compared, resamplings_for
from modelyard.training.families.family import Family
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe

__all__ = ["Remedies"]


@dataclasses.dataclass(frozen=True)
class Remedies:
    """Where ways to make classes even are tried.

    Parameters
    ----------
    validation
        The search, to which they are added as candidates.
    setup
        What it is about.
    families
        By name.
    allows
        Whether a candidate of that name may be tried.
    """

    validation: CrossValidation
    setup: Setup
    families: Mapping[str, Family]
    allows: Callable[[str], bool]

    def rebalanced(self, choice: Choice) -> Choice:
        """The choice, or the best way to make classes even for it, judged by the paired gain in the primary metric
        after both were calibrated on the other folds.

        Nothing is tried for a blend or a baseline, where classes are not uneven (see
        :func:`~modelyard.training.curves.evenness.is_uneven`), or after the time is up. Ctrl-C forgoes it.
        """
        winner = next(item for item in self.validation.candidates if item.name == choice.winner)
        family = self.families.get(winner.family)
        if family is None or not is_uneven(self.setup) or self.validation.out_of_time:
            return choice
        try:
            made = self.validation.evaluate(self._recipes(winner, family), step="weights")
        except KeyboardInterrupt:
            self.validation.stop()
            return choice
        constraints = self.setup.problem.constraints
        usable = [item for item in made if item.is_complete and not violations(item, constraints)]
        return self._decided(choice, usable) if usable else choice

    def _recipes(self, winner: Candidate, family: Family) -> list[Recipe]:
        ways = (Resampling.WEIGHTS,) if family.promises.sample_weights else ()
        named = [(f"{winner.name}-{how.value}", how) for how in (*ways, *resamplings_for(self.setup))]
        return [Recipe(name, family, winner.params, resampling=how) for name, how in named if self.allows(name)]

    def _decided(self, choice: Choice, usable: list[Candidate]) -> Choice:
        """The comparison, and who wins it."""
        out_of_fold, names = self.validation.out_of_fold, (choice.winner, *(item.name for item in usable))
        found = compared({name: out_of_fold(name) for name in names}, choice.winner, self.setup, corrected=True)
        best = max(found.remedies[1:], key=lambda item: item.gain)
        if best.gain <= best.standard_error:
            return dataclasses.replace(choice, weights=found)
        how = next(item.resampling for item in usable if item.name == best.name)
        why = (
            f"{choice.why} {best.name} takes its place: {WORDS[how]} gain{'' if how is Resampling.WEIGHTS else 's'} "
            f"{format_number(best.gain)} in {metric_spec(found.metric).title} on the same rows, calibrated, more than the standard error "
            f"({format_number(best.standard_error)})."
        )
        return dataclasses.replace(choice, winner=best.name, why=why, weights=dataclasses.replace(found, won=best.name))
