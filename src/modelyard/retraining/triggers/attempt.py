"""Retrain if it is time, and say why or why not: for whoever asks by the clock."""

from modelyard.core import Actor, Clock, Progress, StateError, silent, system_clock
from modelyard.governance import Registry, require_permission
from modelyard.problem import Problem
from modelyard.retraining.triggers.records import Attempt, Due
from modelyard.store import Workspace

__all__ = ["retrain_if_due"]


def retrain_if_due(
    workspace: Workspace,
    problem: Problem,
    actor: Actor,
    *,
    progress: Progress = silent,
    clock: Clock = system_clock,
) -> Attempt:
    """Ask the project's triggers and guards, and run the pipeline of a retraining if it is due.

    Safe to call as often as one likes: what is not due changes nothing. From the question to the decision it holds the
    project's lock. The rows are collected, as `modelyard retrain` without a table does.

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
    if not problem.retraining.triggers.any:
        return Attempt(Due((), ()), None)
    from modelyard.retraining.retrain import Request, Retrainer
    from modelyard.retraining.triggers.due import due
    from modelyard.retraining.triggers.reading import read_facts, with_new_rows

    champion = Registry(workspace).production(problem.name)
    if champion is None:
        raise StateError("no version is in production", where=problem.name, cure="Run: modelyard promote VERSION")
    plan = problem.retraining
    with workspace.lock():
        facts = read_facts(workspace, problem, actor, champion, clock())
        if plan.triggers.new_labels is not None or due(facts, plan).is_due:
            facts = with_new_rows(facts, workspace, problem, champion)
        found = due(facts, plan)
        if not found.is_due:
            return Attempt(found, None)
        retrainer = Retrainer(workspace, problem, actor, progress=progress, clock=clock)
        return Attempt(found, retrainer.retrain(champion, Request(because=found.because)))
