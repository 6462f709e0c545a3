"""Who decides about the log: what a full one means, what of a person is written, and where a copy goes."""

import dataclasses
import hashlib
import hmac
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modelyard.core import ConfigError

__all__ = ["LogPolicy", "Privacy"]

_KEY_BYTES = 32
_CODE_LETTERS = 32

_Record = TypeVar("_Record", bound=msgspec.Struct)


@dataclasses.dataclass(frozen=True)
class LogPolicy:
    """What becomes of records.

    Parameters
    ----------
    on_full
        ``refuse``: what cannot be recorded is not answered (503). ``answer``: it is answered without a record, which the
        answer's header, the metrics and the process's log say, and which the log itself records as a gap afterwards.
    sink
        Address of a database that gets a copy; None for none.
    max_backlog_bytes
        What may wait for that database; beyond it the log counts as full.
    ship_s
        Seconds between two looks at what has to be copied.
    personal
        Columns by name: ``hash`` or ``drop``.
    key
        File of the key for hashes; made if it is missing.
    also
        Fields of requests that are logged beside the model's columns.

    Raises
    ------
    ConfigError
        If a word is none of those, or a column is to be hashed without a key's file.
    """

    on_full: str = "refuse"
    sink: str | None = None
    max_backlog_bytes: int = 1 << 30
    ship_s: float = 1.0
    personal: Mapping[str, str] = dataclasses.field(default_factory=dict)
    key: Path | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, word, words in (
            ("on_full", self.on_full, ("refuse", "answer")),
            *((f"personal.{name}", rule, ("hash", "drop")) for name, rule in self.personal.items()),
        ):
            if word not in words:
                raise ConfigError(
                    "the log's policy does not know this word",
                    where=f"log.{what}",
                    got=repr(word),
                    cure=f"Choose {' or '.join(words)}",
                )
        if "hash" in self.personal.values() and self.key is None:
            raise ConfigError(
                "a hash that keeps a secret needs a key",
                where="log.personal",
                cure="Give the file of the key; it is made if it is missing",
            )


class Privacy:
    """Takes what is personal out of records before they are written.

    A hash is HMAC-SHA-256 under the key, cut to 128 bits, of the cell as text: who has the key's file can tell whether a
    known value occurs, nobody else can, and who destroys it makes the codes meaningless.

    Parameters
    ----------
    policy
        The columns, and the key's file.
    columns
        What the model knows, and what the policy logs beside. Nothing else is ever logged.

    Raises
    ------
    ConfigError
        If a column is none of the model's, or the key's file cannot be used.
    """

    def __init__(self, policy: LogPolicy, columns: Collection[str]) -> None:
        unknown = sorted(set(policy.personal) - set(columns))
        if unknown:
            raise ConfigError(
                "the model has no such column",
                where="log.personal",
                got=", ".join(map(repr, unknown)),
                cure="Name columns as the model knows them, or take these out; else only what log.also names is logged",
            )
        self._dropped = frozenset(name for name, rule in policy.personal.items() if rule == "drop")
        self._hashed = frozenset(name for name, rule in policy.personal.items() if rule == "hash")
        self._key = _key(policy.key) if policy.key is not None and self._hashed else b""

    def cleaned(self, records: Sequence[_Record]) -> Sequence[_Record]:
        """The records with codes in place of hashed cells, and without dropped ones."""
        if not self._dropped and not self._hashed:
            return records
        return [msgspec.structs.replace(record, features=self.features(record)) for record in records]

    def features(self, record: Any) -> dict[str, Any]:
        """The cells that may be written."""
        return {
            name: self.code(cell) if name in self._hashed else cell
            for name, cell in record.features.items()
            if name not in self._dropped
        }

    def code(self, cell: Any) -> str | None:
        """The code of a cell; the same for ``7`` and ``7.0``, and none for a missing value."""
        if cell is None:
            return None
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_CODE_LETTERS]


def _key(path: Path) -> bytes:
    """The key in a file that only its owner reads; made at once if there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_hex(_KEY_BYTES).encode())
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError:
        pass
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if len(key) < _KEY_BYTES:
        raise _unusable(path, f"{len(key)} bytes")
    return key


def _unusable(path: Path, got: str) -> ConfigError:
    return ConfigError(
        "the key for hashes cannot be used",
        where=str(path),
        got=got,
        cure=f"Put {_KEY_BYTES} random bytes there, as hexadecimal digits; without the file a new key is made",
    )
