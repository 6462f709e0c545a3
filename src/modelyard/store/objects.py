"""Artefacts by the digest of their content: written once, read-only, verified when read."""

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from modelyard.core import IntegrityError, ModelyardError, StateError, digest_bytes, digest_file, write_atomic
from modelyard.core.files import unwritten

__all__ = ["ObjectStore"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


class ObjectStore:
    """A folder of files that are named by the SHA-256 of their bytes.

    Parameters
    ----------
    root
        The folder; made when the first object is put.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_bytes(self, content: bytes) -> str:
        """Store ``content`` and return its digest.

        Putting the same content again changes nothing, save that an object that was damaged meanwhile is whole again.

        Raises
        ------
        ModelyardError
            If the disk is full or the folder cannot be written; nothing is left behind then.
        """
        digest = digest_bytes(content)
        target = self._place(digest)
        if not target.is_file() or digest_file(target) != digest:
            write_atomic(target, content)
            target.chmod(0o444)
        return digest

    def put_by(self, write: Callable[[Path], object]) -> str:
        """Store what ``write`` writes to the path it is given, and return its digest; it is never whole in memory.

        Raises
        ------
        ModelyardError
            As :meth:`put_bytes`; what ``write`` raises on its own account passes through.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        temporary = self.root / f".{secrets.token_hex(8)}"
        try:
            write(temporary)
            digest = _flushed(temporary)
            target = self._place(digest)
            if not target.is_file() or digest_file(target) != digest:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.chmod(0o444)
                temporary.replace(target)
        except OSError as error:
            raise unwritten(self.root, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return digest

    def put_file(self, path: Path) -> str:
        """Store a copy of a file and return its digest.

        Raises
        ------
        ModelyardError
            If the file cannot be read, or as :meth:`put_bytes`.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelyardError(
                "the file to be stored cannot be read",
                where=str(path),
                got=error.strerror or str(error),
                cure="Check the path and its permissions",
            ) from error
        return self.put_bytes(content)

    def path(self, digest: str) -> Path:
        """Where the object lies.

        Raises
        ------
        StateError
            If there is no such object.
        """
        place = self._place(digest)
        if not _DIGEST.fullmatch(digest) or not place.is_file():
            raise StateError(
                "there is no object of this digest",
                where=str(self.root),
                got=digest[:12],
                cure="Restore the folder from a backup, or run the command again that made it",
            )
        return place

    def verified(self, digest: str) -> Path:
        """Where the object lies, once its bytes were found to be those that were stored.

        Raises
        ------
        StateError
            If there is no such object.
        IntegrityError
            If they are not the bytes that were stored.
        """
        path = self.path(digest)
        if digest_file(path) != digest:
            raise self._changed(digest)
        return path

    def read(self, digest: str) -> bytes:
        """The object's bytes, verified.

        Raises
        ------
        StateError
            If there is no such object.
        IntegrityError
            If they are not the bytes that were stored.
        """
        content = self.path(digest).read_bytes()
        if digest_bytes(content) != digest:
            raise self._changed(digest)
        return content

    def _changed(self, digest: str) -> IntegrityError:
        return IntegrityError(
            "a stored object is not what was stored",
            where=str(self._place(digest)),
            got="another digest",
            cure="Restore the file from a backup, or run the command again that made it",
        )

    def _place(self, digest: str) -> Path:
        return self.root / "sha256" / digest[:2] / digest[2:]


def _flushed(path: Path) -> str:
    """The digest of a file whose bytes are on the disk."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return digest_file(path)
