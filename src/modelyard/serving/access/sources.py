"""Where valid keys come from: the project's tokens, or a file beside a package."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.core import ConfigError, IntegrityError
from modelyard.serving.access.keys import Caller, Keys

if TYPE_CHECKING:
    from modelyard.store import Ledger

__all__ = ["KeyFile", "TokenKeys"]

_VERBS = ("predict", "feedback", "operate")


class TokenKeys:
    """The tokens of a project that are not revoked, with what their roles may do on a server.

    Parameters
    ----------
    ledger
        In whose database they are.
    model
        The one that is served: tokens for other models open nothing. None for tokens that are for every model.
    """

    def __init__(self, ledger: "Ledger", model: str | None = None) -> None:
        self._ledger = ledger
        self._model = model
        self._watch = ledger.watch()
        self._is_stale = True
        self._keys = Keys(())

    def load(self) -> Keys:
        """The tokens, by hash; read anew only when something was committed."""
        from modelyard.governance import valid_tokens

        self._is_stale |= self._watch.has_changed()
        if not self._is_stale:
            return self._keys
        self._keys = Keys(
            (token.hash, Caller(token.owner, tuple(verb for verb in _VERBS if token.may(verb)), token.expires_at))
            for token in valid_tokens(self._ledger, model=self._model)
        )
        self._is_stale = False
        return self._keys


class KeyFile:
    """A JSON file: ``{"keys": [{"hash": …, "name": …, "may": ["predict"], "expires_at": …}]}``.

    It is what a container is given that has no project beside it; ``hash`` is the SHA-256 of the key in hexadecimal.

    Parameters
    ----------
    path
        Read again whenever it changes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, Keys] | None = None

    def load(self) -> Keys:
        """The keys of the file.

        Raises
        ------
        ConfigError
            If it is not there.
        IntegrityError
            If it is no such file.
        """
        try:
            changed = self._path.stat().st_mtime_ns
            if self._read is not None and self._read[0] == changed:
                return self._read[1]
            entries = json.loads(self._path.read_text(encoding="utf-8"))["keys"]
            keys = Keys(
                (
                    str(entry["hash"]).lower(),
                    Caller.from_dict({name: entry[name] for name in ("name", "may", "expires_at")}),
                )
                for entry in entries
            )
        except OSError as error:
            raise ConfigError(
                "the file of keys cannot be read",
                where=str(self._path),
                got=error.strerror or str(error),
                cure="Give a JSON file of keys, or serve on 127.0.0.1 without keys",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                "the file of keys is not understood",
                where=str(self._path),
                got=repr(error),
                cure='Write {"keys": [{"hash": "…", "name": "…", "may": ["predict"], "expires_at": "2027-01-01T00:00:00Z"}]}',
            ) from error
        self._read = (changed, keys)
        return keys
