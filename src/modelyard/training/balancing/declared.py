"""What the project file asks of resampling, held against what can be done, before anything is fitted."""

from modelyard.core import ConfigError
from modelyard.problem import Problem
from modelyard.training.balancing.resampling import require_resampling

__all__ = ["check_resampling"]


def check_resampling(problem: Problem) -> None:
    """Refuse what cannot be done.

    Parameters
    ----------
    problem
        Its task is known.

    Raises
    ------
    ConfigError
        If resampling is named for a task without classes, or rows have weights, which made rows could not have.
    MissingExtraError
        If imbalanced-learn is needed and not installed.
    """
    training = problem.training
    if training.imbalance is True and problem.task.is_classification:
        require_resampling("training.imbalance: true")
    if training.resampling in ("none", "auto"):
        return
    if not problem.task.is_classification:
        raise ConfigError(
            f"only classes can be made even, and the task is {problem.task.value}",
            where="training.resampling",
            got=training.resampling,
            cure="Leave it out",
        )
    if training.resampling == "weights":
        return
    require_resampling(f"training.resampling: {training.resampling}")
    if problem.data.weight is not None:
        raise ConfigError(
            "rows with weights of their own cannot be resampled",
            where="training.resampling",
            got=f"{training.resampling}, and data.weight: {problem.data.weight}",
            cure="Set training.resampling: weights, which multiplies both, or leave data.weight out",
        )
