"""The stage: what the story needs in order to be seen, and the stage on which nobody watches."""

from pathlib import Path
from typing import Any, Protocol

from modelyard.core import Progress, Record, silent

__all__ = ["SilentStage", "Stage"]


class Stage(Protocol):
    """Shows the story; the command line has one that draws in the terminal.

    Calls come from one thread in the order of the story; none of them may change what is shown.
    """

    progress: Progress

    def scene(self, title: str, why: str) -> None:
        """A new scene, with one sentence on why it is played."""

    def tell(self, text: str) -> None:
        """A sentence."""

    def show(self, record: Any, page: Path | None = None) -> None:
        """The result of a verb, with its page if it has one."""


class SilentStage:
    """Shows nothing; for programs and tests."""

    progress: Progress = staticmethod(silent)

    def scene(self, title: str, why: str) -> None:
        """Nothing."""

    def tell(self, text: str) -> None:
        """Nothing."""

    def show(self, record: Record | object, page: Path | None = None) -> None:
        """Nothing."""
