"""Events on their way: JSON lines in a file, or posted one after the other to a receiver of OpenLineage."""

import dataclasses
import http.client
import os
import ssl
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from modelyard.core import ConfigError, ModelyardError, Record, canonical_json, write_atomic
from modelyard.problem.address import holds_password, without_password

__all__ = ["KEY_VARIABLE", "Sent", "post_events", "write_events"]

KEY_VARIABLE = "OPENLINEAGE_API_KEY"
"""The environment variable of the receiver's key, as OpenLineage's own clients call it."""

_PATH = "/api/v1/lineage"
_TIMEOUT_S = 15.0
_TRIES = 4
_FIRST_WAIT_S = 0.2
_NOW_NOT = frozenset({408, 425, 429})
_SHOWN = 200


@dataclasses.dataclass(frozen=True)
class Sent(Record):
    """What was told.

    Parameters
    ----------
    events
        How many.
    to
        The file or the address, without a password.
    """

    events: int
    to: str


def write_events(events: Iterable[dict[str, Any]], path: Path) -> Sent:
    """Write a line of JSON for each event, the whole file or none of it.

    Raises
    ------
    ModelyardError
        If the file cannot be written.
    """
    lines = [canonical_json(event) + b"\n" for event in events]
    write_atomic(path, b"".join(lines))
    return Sent(len(lines), str(path))


def post_events(events: Iterable[dict[str, Any]], address: str) -> Sent:
    """Post each event, in order, and go on only when it was taken.

    An address without a path gets the path of the specification, ``/api/v1/lineage``. A receiver that is busy, or a
    connection that breaks, is tried again a few times; the next run tells everything anew, under the same ids.

    Raises
    ------
    ConfigError
        If the address is none of the web or holds a password, or the receiver refuses an event.
    ModelyardError
        If it cannot be reached, or takes nothing now; the sentence says how many events it has.
    """
    place = urlsplit(address)
    where = without_password(address)
    if place.scheme not in ("http", "https") or not place.hostname or holds_password(address) or place.username:
        cure = f"Give --to https://host:port, and a key in the environment variable {KEY_VARIABLE}"
        raise ConfigError("no address to which lineage can be posted", where="--to", got=where, cure=cure)
    receiver = _Receiver(place, where)
    try:
        for event in events:
            receiver.take(canonical_json(event))
    finally:
        receiver.close()
    return Sent(receiver.taken, where)


class _Receiver:
    """One connection, opened anew when it breaks."""

    def __init__(self, place: SplitResult, where: str) -> None:
        self._place = place
        self._where = where
        path = place.path if place.path not in ("", "/") else _PATH
        self._target = path + (f"?{place.query}" if place.query else "")
        key = os.environ.get(KEY_VARIABLE, "")
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._connection: http.client.HTTPConnection | None = None
        self.taken = 0

    def take(self, body: bytes) -> None:
        """Have an event taken."""
        said = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_FIRST_WAIT_S * 2 ** (attempt - 1))
            status, said = self._post(body)
            if 200 <= status < 300:
                self.taken += 1
                return
            if 0 < status < 500 and status not in _NOW_NOT:
                got = f"status {status}: {said}"
                raise ConfigError(
                    "the receiver refuses an event", where=self._where, got=got, cure="Look at the address and the key"
                )
        raise ModelyardError(
            f"the receiver took {self.taken} events, and no more now",
            where=self._where,
            got=said,
            cure="Run it again later: every event keeps its id, so nothing is there twice",
        )

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes) -> tuple[int, str]:
        """Status and answer; status 0 and the error of a connection that broke."""
        try:
            connection = self._connection or self._connect()
            connection.request("POST", self._target, body, self._headers)
            with connection.getresponse() as answer:
                return answer.status, answer.read().decode("utf-8", "replace")[:_SHOWN]
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return 0, f"{type(error).__name__}: {error}"[:_SHOWN]

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._place.hostname or "", self._place.port
        if self._place.scheme == "http":
            self._connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        else:
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
        return self._connection
