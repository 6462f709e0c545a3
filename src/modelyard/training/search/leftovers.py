"""Where a search keeps its files, and when they go: once its run is stored, or once whoever asked for it has written that down."""

import contextlib
import contextvars
from collections.abc import Iterator
from pathlib import Path

from modelyard.core import remove_directory
from modelyard.store import Workspace

__all__ = ["kept_until_noted", "remove_search", "search_folder"]

_WAITING: contextvars.ContextVar[list[Path] | None] = contextvars.ContextVar("modelyard_searches_to_go", default=None)


def search_folder(question: str, workspace: Workspace) -> Path:
    """The files of the search that answers a question, by its digest, which the run keeps as its ``plan``."""
    return workspace.folder("runs") / f".search-{question[:16]}"


@contextlib.contextmanager
def kept_until_noted() -> Iterator[None]:
    """Searches within keep their files to the end of the block: a process that is killed before has only to store again."""
    waiting = list[Path]()
    token = _WAITING.set(waiting)
    try:
        yield
    finally:
        _WAITING.reset(token)
    for folder in waiting:
        remove_directory(folder)


def remove_search(folder: Path) -> None:
    """Remove the files of a search whose run is stored, now or at the end of :func:`kept_until_noted`."""
    waiting = _WAITING.get()
    if waiting is None:
        remove_directory(folder)
    else:
        waiting.append(folder)
