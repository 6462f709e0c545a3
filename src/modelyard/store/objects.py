"""Artefacts by the digest of their content: written once, read-only, verified when read."""

import os
import tempfile
from pathlib import Path

from modelyard.core import IntegrityError, ModelyardError, StateError, digest_bytes

__all__ = ["ObjectStore"]


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
        """Store ``content`` and return its digest; putting the same content again changes nothing.

        Raises
        ------
        ModelyardError
            If the disk is full or the folder cannot be written; nothing is left behind then.
        """
        digest = digest_bytes(content)
        target = self._place(digest)
        if not target.exists():
            self._write(target, content)
        return digest

    def put_file(self, path: Path) -> str:
        """Store a copy of a file and return its digest."""
        return self.put_bytes(path.read_bytes())

    def path(self, digest: str) -> Path:
        """Where the object lies.

        Raises
        ------
        StateError
            If there is no such object.
        """
        place = self._place(digest)
        if not place.exists():
            raise StateError(
                "there is no object of this digest",
                where=str(self.root),
                got=digest[:12],
                cure="Restore the folder from a backup, or run the command again that made it",
            )
        return place

    def read(self, digest: str) -> bytes:
        """The object's bytes, verified.

        Raises
        ------
        IntegrityError
            If they are not the bytes that were stored.
        """
        content = self.path(digest).read_bytes()
        if digest_bytes(content) != digest:
            raise IntegrityError(
                "a stored object is not what was stored",
                where=str(self._place(digest)),
                got="another digest",
                cure="Restore the file from a backup",
            )
        return content

    def _place(self, digest: str) -> Path:
        return self.root / "sha256" / digest[:2] / digest[2:]

    @staticmethod
    def _write(target: Path, content: bytes) -> None:
        """Temporary file, flushed to the disk, read-only, renamed."""
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(0o444)
            Path(temporary).replace(target)
        except OSError as error:
            Path(temporary).unlink(missing_ok=True)
            raise ModelyardError(
                "the object could not be stored",
                where=str(target),
                got=error.strerror or str(error),
                cure="Free some space or fix the permissions, then run the command again; nothing was changed",
            ) from error
