"""The project's folder `.modelyard`: the one place that knows where everything lies."""

import contextlib
import functools
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.core import ConfigError, IntegrityError, exclusive_lock, remove_unfinished, write_json_atomic
from modelyard.store.ledger import Ledger
from modelyard.store.objects import ObjectStore
from modelyard.store.shared import open_ledger

if TYPE_CHECKING:
    from modelyard.problem.sections import StorePlan

__all__ = ["Workspace"]

_KINDS = (
    "datasets",
    "splits",
    "runs",
    "audits",
    "evaluations",
    "packages",
    "predictions",
    "monitoring",
    "states",
    "retraining",
    "corrections",
    "labels",
)
_WRITTEN_ALONE = ("datasets", "splits", "runs", "audits", "evaluations", "retraining")
"""Kinds that are written by commands that hold the project's lock, and by nobody else."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Workspace:
    """State of one project, below ``<root>/.modelyard``.

    ::

        .modelyard/
        ├── ledger.db, ledger.head   who did what
        ├── objects/                 files by their digest
        ├── pointers.json            the newest split, run, evaluation, package
        ├── lock                     held by a command that changes something
        ├── *.lock                   held for the moment of one write
        ├── scratch/                 columns of a large table, while a command reads or divides it
        └── datasets/ splits/ runs/ audits/ evaluations/ packages/ predictions/ monitoring/ states/ retraining/ corrections/ labels/

    Parameters
    ----------
    root
        The project's folder. Nothing is written until something is stored.
    store
        Where the ledger lies, and who vouches for it; by default a file below ``.modelyard``. Everything else is always
        there: what several people share is the history, not the files.
    """

    def __init__(self, root: Path, store: "StorePlan | None" = None) -> None:
        self._store = store
        self.root = root
        self.state = root / ".modelyard"

    @functools.cached_property
    def ledger(self) -> Ledger:
        """The project's ledger, opened on first use."""
        return open_ledger(self.state, self._store)

    @functools.cached_property
    def objects(self) -> ObjectStore:
        """The project's artefacts by content."""
        return ObjectStore(self.state / "objects")

    def folder(self, kind: str, id: str = "") -> Path:  # noqa: A002 - the word that callers use
        """The folder of one kind of record, or of one record; it need not exist yet.

        Raises
        ------
        ConfigError
            If the kind is unknown, or the id could lead out of the folder.
        """
        if kind not in _KINDS:
            raise ConfigError("unknown kind of record", got=repr(kind), cure=f"Choose one of: {', '.join(_KINDS)}")
        if id and not _SAFE_NAME.fullmatch(id):
            raise ConfigError("an id holds letters, digits, dots and dashes only", where=kind, got=repr(id))
        return self.state / kind / id if id else self.state / kind

    def pointer(self, name: str) -> str | None:
        """What ``name`` points to; None if it was never set.

        Raises
        ------
        IntegrityError
            If the file of pointers is damaged.
        """
        return self._pointers().get(name)

    def point(self, name: str, value: str) -> None:
        """Let ``name`` point to ``value``; processes that point at once take turns, so that no pointer is lost."""
        with exclusive_lock(self.state / "pointers.lock", wait=True):
            write_json_atomic(self._pointer_file, {**self._pointers(), name: value})

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the project's lock for a command that changes something (``LockedError`` if another holds it)."""
        with exclusive_lock(self.state / "lock"):
            # What a command that was killed has left behind; whoever holds the lock is alone.
            shutil.rmtree(self._scratch, ignore_errors=True)
            for kind in _WRITTEN_ALONE:
                remove_unfinished(self.folder(kind))
            yield

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for what is too large for memory: made by whoever writes into it, gone when the block ends."""
        folder = self._scratch / secrets.token_hex(8)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self._scratch.rmdir()

    @property
    def _scratch(self) -> Path:
        return self.state / "scratch"

    @property
    def _pointer_file(self) -> Path:
        return self.state / "pointers.json"

    def _pointers(self) -> dict[str, str]:
        try:
            content = json.loads(self._pointer_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise self._damaged(str(error)) from error
        if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
            raise self._damaged("no mapping of names to ids")
        return content

    def _damaged(self, got: str) -> IntegrityError:
        return IntegrityError(
            "the pointers are damaged",
            where=str(self._pointer_file),
            got=got,
            cure="Delete the file, then run audit, train, evaluate and package again: each writes its pointer",
        )
