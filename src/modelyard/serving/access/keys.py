"""Keys: what a caller shows, known here by its hash alone."""

import dataclasses
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable
from typing import Protocol

from modelyard.core import Record

__all__ = ["Caller", "KeySource", "Keys", "hash_of"]


@dataclasses.dataclass(frozen=True)
class Caller(Record):
    """Who holds a key.

    Parameters
    ----------
    name
        The person's or program's.
    may
        What it may do: ``predict``, ``feedback``, ``operate``.
    expires_at
        When the key becomes void; UTC.
    """

    name: str
    may: tuple[str, ...]
    expires_at: dt.datetime


class KeySource(Protocol):
    """Where the valid keys are written. Called from a thread, again and again."""

    def load(self) -> "Keys":
        """The keys that are valid now.

        Raises
        ------
        ModelyardError
            If they cannot be read at the moment.
        """


class Keys:
    """The keys that are valid.

    Parameters
    ----------
    callers
        Hash of the key (see :func:`hash_of`) and its holder.

    Examples
    --------
    >>> caller = Caller("billing", ("predict",), dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    >>> keys = Keys([(hash_of(b"secret"), caller)])
    >>> keys.holder(b"secret").name, keys.holder(b"guess")
    ('billing', None)
    """

    def __init__(self, callers: Iterable[tuple[str, Caller]]) -> None:
        self._by_hash = {digest: (digest, caller) for digest, caller in callers}

    def __len__(self) -> int:
        return len(self._by_hash)

    def holder(self, key: bytes) -> Caller | None:
        """Whose key it is; None if nobody's.

        Keys are found by their hash, so that how long it takes says nothing about the key; the hashes themselves are
        compared in constant time.
        """
        digest = hash_of(key)
        known, caller = self._by_hash.get(digest, ("", None))
        return caller if hmac.compare_digest(known, digest) else None


def hash_of(key: bytes) -> str:
    """The hash under which a key is known: SHA-256, in hexadecimal. Keys are 256 random bits, which need no salt."""
    return hashlib.sha256(key).hexdigest()
