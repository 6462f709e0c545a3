"""Artefacts by the digest of their content: written once, read-only, verified when read."""

import re
from pathlib import Path

from modelyard.core import IntegrityError, ModelyardError, StateError, digest_bytes, digest_file, write_atomic

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
            raise IntegrityError(
                "a stored object is not what was stored",
                where=str(self._place(digest)),
                got="another digest",
                cure="Restore the file from a backup, or run the command again that made it",
            )
        return content

    def _place(self, digest: str) -> Path:
        return self.root / "sha256" / digest[:2] / digest[2:]
