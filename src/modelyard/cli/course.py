"""Commands on a project whose task has a course: the same words, another life."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.session import Answer, Session

if TYPE_CHECKING:
    from modelyard.courses import Outcome
    from modelyard.project import Project

__all__ = ["course_answer", "course_begun"]

_SHIPS = ("image", "bundle", "export", "bench")
_TELLS = ("explain", "data", "status", "report", "ledger", "inventory", "impact")
_RELEASES = ("package", "register", "approve", "reject", "promote", "rollback")
_WATCHES = ("monitor", "alerts", "event")
_SAYS = ("gates", "validate", "review-break-glass", "changes", "lineage")
_ALIKE = frozenset(("new", "token", "demo", *_SHIPS, *_TELLS, *_RELEASES, *_WATCHES, *_SAYS))
"""Commands that mean the same for every task, or open no project."""
_OF_ROWS = frozenset(("serve", "review", "tick", "watch"))
"""Commands that mean the same for every task whose packages answer a row alone."""


def course_answer(session: Session, name: str, values: Mapping[str, Any], given: Collection[str]) -> Answer | None:
    """The answer of the project's course to a command; None if the task has none, or the command is the same for all.

    Parameters
    ----------
    values, given
        The command's own options, and the names of those that are not at their default.

    Raises
    ------
    ConfigError
        If the command or an option has no meaning for the task.
    """
    if name in _ALIKE or session.project.course is None:
        return None
    if name in _OF_ROWS and session.project.course.answers_rows:
        return None
    import inspect

    from modelyard.core import ConfigError
    from modelyard.courses import VERBS

    task = session.project.problem.task
    if name == "serve":
        raise ConfigError(
            "modelyard serve answers row by row, and a forecast needs a history",
            where=f"task: {task}",
            cure="Run: modelyard score HISTORY FORECAST",
        )
    if name not in VERBS:
        raise ConfigError(
            f"modelyard {name} is for models that learn a target row by row",
            where=f"task: {task}",
            cure="Train, package and promote again by hand where it is due",
        )
    verb = getattr(session.project.course, name)
    known = inspect.signature(verb).parameters
    for option in given:
        if option not in known:
            raise ConfigError(
                f"modelyard {name} has no --{option.replace('_', '-')} here", where=f"task: {task}", cure="Leave it out"
            )
    return _shown(verb(**{option: value for option, value in values.items() if option in known}))


def course_begun(project: "Project") -> Answer:
    """The answer of ``new``: the file, and the question as it was understood."""
    from modelyard.cli.show.blocks import headline, link, stack
    from modelyard.cli.show.course import show_outcome

    if project.course is None:
        raise TypeError("this task has no course")
    outcome = project.course.check()
    view = stack(
        headline(f"Project {project.problem.name} is ready.", f"task: {project.problem.task}"),
        link("file", project.root / "modelyard.yaml"),
        show_outcome(outcome),
    )
    return Answer({"project": str(project.root), **outcome.record}, view)


def _shown(outcome: "Outcome") -> Answer:
    from modelyard.cli.show.course import show_outcome

    code = ExitCode.REFUSED if outcome.refused else ExitCode.DONE
    return Answer(dict(outcome.record), show_outcome(outcome), code)
