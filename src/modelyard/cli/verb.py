"""One shape for all commands: common options, one project, one answer, one exit code."""

import functools
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from modelyard.cli.course import course_answer
from modelyard.cli.session import Answer, Session

__all__ = ["print_answer", "verb"]


def _common(
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Folder of the project (with modelyard.yaml).")
    ] = Path(),
    env: Annotated[str | None, typer.Option("--env", help="Overlay: modelyard.<env>.yaml.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override one value: training.folds=3 (repeatable).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON on standard output.")] = False,
) -> Session:
    """The options that every command has."""
    return Session(project, env, tuple(settings or ()), as_json)


def verb(app: typer.Typer, name: str) -> Callable[[Callable[..., Answer]], Callable[..., None]]:
    """Register a function as the command ``name``.

    The function takes the :class:`Session` first and its own options after it, and returns an :class:`Answer`; the
    common options are added to its signature here, so that no command repeats them.
    """

    def register(function: Callable[..., Answer]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**values: Any) -> None:
            session = _common(**{key: values.pop(key) for key in _COMMON_PARAMETERS})
            given = {parameter.name for parameter in own if values[parameter.name] != parameter.default}
            answer = course_answer(session, name, values, given) or function(session, **values)
            print_answer(answer, as_json=session.as_json)
            raise typer.Exit(int(answer.exit_code))

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        # Typer reads the options from these two attributes.
        parameters = [*keyword_only, *_COMMON_PARAMETERS.values()]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del command.__wrapped__  # else inspect would look through to the function
        app.command(name)(command)
        return command

    return register


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """The record on standard output, or the view in the terminal."""
    if as_json:
        json.dump(answer.record, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
        sys.stdout.write("\n")
        return
    from modelyard.cli.progress import clear_progress, console

    clear_progress()
    console().print(answer.view)


_COMMON_PARAMETERS = {
    parameter.name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(_common).parameters.values()
}
