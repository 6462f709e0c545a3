"""Files that are whole or absent: atomic writes, atomic directories, and one lock for a project."""

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelyard.core.errors import LockedError, ModelyardError

__all__ = [
    "atomic_directory",
    "atomic_file",
    "exclusive_lock",
    "remove_directory",
    "remove_unfinished",
    "unwritten",
    "write_atomic",
    "write_json_atomic",
]

_UNFINISHED = re.compile(r"\..+\.([0-9a-f]{16}|[a-z0-9_]{8})")
"""The names of what is not whole yet, and of what is not whole any more."""


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader, or a machine that dies, sees the old content or the new, never a half.

    The bytes go to a temporary file beside ``path``, are flushed to the disk, and renamed over it (POSIX ``rename``).

    Raises
    ------
    ModelyardError
        If the disk is full or the folder cannot be written; the old file is untouched then.
    """
    raw = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_file(path) as temporary:
        # Opened plainly, so that the permissions are those of any file that the user makes.
        temporary.write_bytes(raw)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Let the block write a file under the temporary name it is given; then it stands whole under ``path``.

    Raises
    ------
    ModelyardError
        As :func:`write_atomic`.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise unwritten(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def unwritten(path: Path, error: OSError) -> ModelyardError:
    """What to raise when the system refuses to write."""
    return ModelyardError(
        "the file could not be written",
        where=str(path),
        got=error.strerror or str(error),
        cure="Free some space or fix the permissions, then run the command again; nothing was changed",
    )


def write_json_atomic(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON with :func:`write_atomic`; NaN is refused (``ValueError``)."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Fill a folder under a temporary name and publish it whole under ``path`` when the block ends well.

    If the block raises, nothing appears under ``path``. An existing folder at ``path`` is an error
    (``FileExistsError``): what was published does not change.
    """
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def remove_directory(path: Path) -> None:
    """Remove a folder, if it is there, so that it is whole or gone: it goes under another name first (POSIX ``rename``).

    A process that is killed in between leaves what :func:`remove_unfinished` removes.
    """
    gone = path.with_name(f".{path.name.removeprefix('.')}.{secrets.token_hex(8)}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left half done in a folder, and in folders directly below it.

    Only for whoever knows that nobody else writes there: the names do not tell the dead from the living.
    """
    for pattern in (".*", "[!.]*/.*"):
        for path in folder.glob(pattern):
            if not _UNFINISHED.fullmatch(path.name):
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive_lock(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold an advisory lock on ``path`` for the block; the kernel frees it if the process dies.

    Parameters
    ----------
    path
        The lock's file; it stays when the lock is free.
    wait
        True to take turns with other holders, for blocks of milliseconds.

    Raises
    ------
    LockedError
        At once, if another process holds it and ``wait`` is false.
    ModelyardError
        If the lock's file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+")
    except OSError as error:
        raise unwritten(path, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            stream.seek(0)
            raise LockedError(
                "another command is at work on this project",
                where=str(path),
                got=stream.read().strip() or "a lock held by an unknown process",
                cure="Wait until it ends, then run this command again",
            ) from error
        stream.seek(0)
        stream.truncate()
        stream.write(f"process {os.getpid()}")
        stream.flush()
        yield
