"""Where checkpoints are kept: a file of one line each, or object storage with one object each."""

import json
import os
from pathlib import Path
from typing import Any, Protocol

from modelyard.core import ConfigError, IntegrityError, MissingExtraError, ModelyardError, canonical_json
from modelyard.core.files import unwritten
from modelyard.store.checkpoints.records import Checkpoint

__all__ = ["FilePlace", "ObjectPlace", "Place", "place_of"]

_OBJECT_STORAGE = "s3"


class Place(Protocol):
    """Keeps checkpoints; what is there is never overwritten. Several processes may add at once."""

    where: str

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep one more (``ModelyardError`` if the place takes nothing)."""

    def read(self) -> tuple[Checkpoint, ...]:
        """All of them, oldest row first.

        Raises
        ------
        IntegrityError
            If something there is no checkpoint.
        ModelyardError
            If the place cannot be reached.
        """


class FilePlace:
    """A file of JSON lines, on another disk or tracked by git.

    Parameters
    ----------
    path
        Made when the first is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def add(self, checkpoint: Checkpoint) -> None:
        """Append a line, and see it on the disk."""
        line = canonical_json(checkpoint.to_dict()) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as stream:
                # Whoever died in the middle of a line must not spoil the next one.
                if stream.tell() and self._last_byte(stream) != b"\n":
                    line = b"\n" + line
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise unwritten(self.path, error) from error

    def read(self) -> tuple[Checkpoint, ...]:
        """All lines; one that was never finished says nothing."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _unread(self.where, error.strerror or str(error)) from error
        found = [
            _parsed(line, f"{self.where}, line {number}") for number, line in enumerate(lines, 1) if _is_whole(line)
        ]
        return tuple(sorted(found, key=lambda item: item.sequence))

    @staticmethod
    def _last_byte(stream: Any) -> bytes:
        stream.seek(-1, os.SEEK_END)
        return bytes(stream.read(1))


class ObjectPlace:
    """A prefix of object storage; with a retention period of the bucket not even its owner can remove a checkpoint.

    Parameters
    ----------
    address
        Such as ``s3://audit/churn``.
    """

    def __init__(self, address: str) -> None:
        from modelyard.problem.address import without_password

        self.where = without_password(address)
        self._address = address.rstrip("/")

    def add(self, checkpoint: Checkpoint) -> None:
        """One object, named by row and hash."""
        files, prefix, failures = self._open()
        name = f"{prefix}/{checkpoint.sequence:012d}-{checkpoint.hash[:16]}-{checkpoint.signature[:8]}.json"
        try:
            files.pipe_file(name, canonical_json(checkpoint.to_dict()))
        except failures as error:
            raise ModelyardError(
                "the checkpoint cannot be kept",
                where=self.where,
                got=str(error)[:160],
                cure="See that the storage can be reached, and that this login may write there",
            ) from error

    def read(self) -> tuple[Checkpoint, ...]:
        """All objects below the prefix."""
        files, prefix, failures = self._open()
        try:
            names = files.glob(f"{prefix}/*.json")
            found = files.cat(names) if names else {}
        except failures as error:
            raise _unread(self.where, str(error)) from error
        return tuple(_parsed(content, name) for name, content in sorted(found.items()))

    def _open(self) -> tuple[Any, str, tuple[type[Exception], ...]]:
        """The storage, the prefix in it, and what it raises when it cannot be reached."""
        from modelyard.problem.address import fill_in

        address, _ = fill_in(self._address)
        try:
            import s3fs
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise MissingExtraError(
                "s3fs", extra="object-storage", needed_for="checkpoints in object storage"
            ) from error
        # Each time anew: what it remembers of a folder would hide what was removed there.
        files = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
        return files, address.removeprefix("s3://"), (BotoCoreError, ClientError, OSError)


def place_of(address: str, root: Path) -> Place:
    """The place of an address; a path is relative to ``root``, the project's folder.

    Raises
    ------
    ConfigError
        If the address is of something else.
    """
    from modelyard.problem.address import is_url, scheme_of, without_password

    if not is_url(address):
        return FilePlace(root / Path(address).expanduser())
    if scheme_of(address) == _OBJECT_STORAGE:
        return ObjectPlace(address)
    raise ConfigError(
        "checkpoints go to files or object storage",
        where="store.checkpoints.to",
        got=without_password(address),
        cure="Give a path, or an address such as s3://bucket/folder",
    )


def _is_whole(line: bytes) -> bool:
    """False for an empty line, and for one whose writer died."""
    return line.strip().endswith(b"}")


def _parsed(content: bytes, where: str) -> Checkpoint:
    try:
        return Checkpoint.from_dict(json.loads(content))
    except (ValueError, TypeError, AttributeError, IntegrityError) as error:
        raise IntegrityError(
            "this is no checkpoint", where=where, got=str(error)[:120], cure="Restore the place from a backup"
        ) from error


def _unread(where: str, got: str) -> ModelyardError:
    return ModelyardError(
        "the checkpoints cannot be read",
        where=where,
        got=got[:160],
        cure="See that the place can be reached, and that this login may read there",
    )
