"""What a command is given, and what it has to say."""

import dataclasses
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from modelyard.core import Progress
    from modelyard.project import Project

__all__ = ["Answer", "Session"]

TOKEN_VARIABLE = "MODELYARD_TOKEN"  # noqa: S105 - the name of a variable, not a secret


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a command has to say.

    Parameters
    ----------
    record
        JSON-ready data; what ``--json`` prints.
    view
        The same for people.
    exit_code
        What the process ends with.
    """

    record: Any
    view: "RenderableType"
    exit_code: ExitCode = ExitCode.DONE


@dataclasses.dataclass(frozen=True)
class Session:
    """The common options of one command.

    Parameters
    ----------
    folder
        The project's folder.
    env
        Name of the overlay file, or None.
    settings
        ``a.b=value`` overrides, in order.
    as_json
        True if the answer goes to a program; progress is silent then.
    """

    folder: Path
    env: str | None
    settings: tuple[str, ...]
    as_json: bool

    @functools.cached_property
    def project(self) -> "Project":
        """The project, opened when a command first asks for it."""
        from modelyard.project import Project

        token = os.environ.get(TOKEN_VARIABLE)
        return Project.open(self.folder, env=self.env, settings=self.settings, token=token, progress=self.progress)

    @functools.cached_property
    def progress(self) -> "Progress":
        """Where long verbs tell how far they are; nowhere if the answer goes to a program."""
        from modelyard.cli.progress import terminal_progress
        from modelyard.core import silent

        return silent if self.as_json else terminal_progress()
