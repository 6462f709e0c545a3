"""Whether a family is fit for a project, by what it promises; if not, the reason."""

import dataclasses

from modelyard.problem import Task
from modelyard.training.families.family import Family

__all__ = ["Needs", "unfit_reason"]


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a project asks of every family.

    Parameters
    ----------
    task
        What is to be learnt.
    rows
        Rows of the training part.
    weighted
        True if rows count differently.
    monotone
        True if predictions must not fall, or not rise, in some column.
    balanced
        True if classes are to be made even by weights.
    """

    task: Task
    rows: int
    weighted: bool = False
    monotone: bool = False
    balanced: bool = False


def unfit_reason(family: Family, needs: Needs) -> str:
    """Why a family is left out, in words that follow its name; empty if it is fit.

    >>> from modelyard.training.families import FAMILIES
    >>> unfit_reason(FAMILIES["naive_bayes"], Needs(Task.REGRESSION, 1_000))
    'it learns binary, multiclass, not regression'
    >>> unfit_reason(FAMILIES["nearest_neighbours"], Needs(Task.BINARY, 50_000))
    '50,000 rows, while it is fit for 20,000'
    """
    promises = family.promises
    if needs.task not in promises.tasks:
        return f"it learns {', '.join(task.value for task in promises.tasks)}, not {needs.task.value}"
    if family.most_rows is not None and needs.rows > family.most_rows:
        return f"{needs.rows:,} rows, while it is fit for {family.most_rows:,}"
    if needs.weighted and not promises.sample_weights:
        return "it takes no sample weights, and data.weight declares them"
    if needs.balanced and not promises.sample_weights:
        return "it takes no sample weights, and training.resampling asks for class weights"
    if needs.monotone and not promises.monotone:
        return "it cannot keep what features.monotone declares"
    return ""
