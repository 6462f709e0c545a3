"""Retrain if it is time, and say why or why not: for whoever asks by the clock."""

from modelyard.core import Actor, Clock, Progress, silent, system_clock
from modelyard.governance import require_permission
from modelyard.problem import Problem
from modelyard.retraining.triggers.records import Attempt, Due
from modelyard.store import Workspace

__all__ = ["retrain_if_due"]


def retrain_if_due(
    workspace: Workspace,  # noqa: ARG001 - callers may rely on the signature; the first trigger needs it
    problem: Problem,  # noqa: ARG001 - likewise
    actor: Actor,
    *,
    progress: Progress = silent,  # noqa: ARG001 - likewise
    clock: Clock = system_clock,  # noqa: ARG001 - likewise
) -> Attempt:
    """Ask the project's triggers and guards, and run the pipeline of a retraining if it is due.

    Safe to call as often as one likes: what is not due changes nothing. While it retrains it holds the project's lock.

    Parameters
    ----------
    workspace, problem, actor
        The project, its question, and in whose name it is asked.
    progress
        Receives the progress of a retraining.
    clock
        The moment of the question.

    Returns
    -------
    Attempt
        What was pulled, what held it back, and the decision if a retraining was due.

    Raises
    ------
    StateError
        If nothing is in production.
    LockedError
        If another command is at work on the project.
    NotPermittedError
        If the actor may not train.
    ModelyardError
        As a retraining raises them.
    """
    require_permission(actor, "train")
    return Attempt(Due((), ()), None)  # the project file has no triggers yet: by command only
