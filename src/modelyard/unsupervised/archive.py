"""A run without a target on disk: the record, and what was fitted, which is loaded only if its digest is the recorded one."""

import json
from pathlib import Path
from typing import Any, TypeVar

from modelyard.core import IntegrityError, Record, StateError, digest_file, write_json_atomic
from modelyard.core.files import atomic_file
from modelyard.store import Workspace

__all__ = ["is_kept", "keep_run", "open_fitted", "open_run"]

R = TypeVar("R", bound=Record)
_PROTOCOL = 2
_RECORD, _FITTED = "unsupervised.json", "fitted.joblib"


def is_kept(id: str, workspace: Workspace) -> bool:  # noqa: A002 - the field's name
    """True if a run of that id was kept to its end."""
    return (workspace.folder("runs", id) / _RECORD).exists()


def keep_run(id: str, record: Record, fitted: object, workspace: Workspace) -> None:  # noqa: A002 - the field's name
    """Keep what was fitted, then the record: a run that was being kept when the process died does not count."""
    import joblib

    folder = workspace.folder("runs", id)
    with atomic_file(folder / _FITTED) as temporary:
        joblib.dump(fitted, temporary)
    content = {"protocol": _PROTOCOL, "record": record.to_dict(), "fitted": digest_file(folder / _FITTED)}
    write_json_atomic(folder / _RECORD, content)


def open_run(kind: type[R], id: str, workspace: Workspace) -> R:  # noqa: A002 - the field's name
    """The record of a run.

    Raises
    ------
    StateError
        If there is none of that id.
    IntegrityError
        If it is damaged.
    """
    return kind.from_dict(_content(workspace.folder("runs", id))["record"])


def open_fitted(id: str, workspace: Workspace) -> Any:  # noqa: A002 - the field's name
    """What was fitted; a pickle, so its digest is checked before anything is loaded.

    Raises
    ------
    IntegrityError
        If the file is not what was kept.
    """
    import joblib

    folder = workspace.folder("runs", id)
    path = folder / _FITTED
    if not path.exists() or digest_file(path) != _content(folder)["fitted"]:
        raise IntegrityError(
            "a file of the run is not what was stored",
            where=str(path),
            cure="Restore it from a backup, or run: modelyard train --no-resume",
        )
    return joblib.load(path)


def _content(folder: Path) -> dict[str, Any]:
    path = folder / _RECORD
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError("there is no such run", where=str(folder), cure="Run: modelyard train") from error
    except ValueError as error:
        raise _damaged(path) from error
    if content.get("protocol") != _PROTOCOL or "record" not in content:
        raise _damaged(path)
    return content


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError("the run is not what was stored", where=str(path), cure="Run: modelyard train --no-resume")
