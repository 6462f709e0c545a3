"""The rehearsal: a server is started where it will run, and asked every golden row over HTTP, before anyone relies on it.

It takes place while an image is built, once more in a container of the finished image, and in staging. It needs nothing but what
serving needs, and reaches nothing but 127.0.0.1.
"""

import contextlib
import dataclasses
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.core import GateRefusedError, IntegrityError, Record
from modelyard.packaging import GoldenRow, GoldenSet, Package, load_package
from modelyard.packaging.golden import largest_difference

__all__ = ["Rehearsal", "rehearse"]

_START_S = 120
_ANSWER_S = 30
_DRAIN_S = 30
_OK = 200
_BREAKS_CONTRACT = 422
_CALLERS_FAULT = 4  # hundred


@dataclasses.dataclass(frozen=True)
class Rehearsal(Record):
    """What a server said when it was asked the golden rows.

    Parameters
    ----------
    digest
        Of the package that answered.
    answered
        Golden rows that were answered as training would have.
    refused
        Golden rows that the contract does not let pass, and that were refused with 422.
    max_abs_difference
        The largest difference to training; relative to the expected value where that is above 1.
    ready_s
        From starting the server to its first ready.
    user
        Number of the user that it ran as; 0 is root.
    exit_code
        What the server ended with after SIGTERM.
    smoke
        What else was asked, and answered as it should be.
    """

    digest: str
    answered: int
    refused: int
    max_abs_difference: float
    ready_s: float
    user: int
    exit_code: int
    smoke: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        rows = f"{self.answered} golden rows answered as in training, {self.refused} refused by the contract"
        return f"ready after {self.ready_s:.1f} s; {rows}; {', '.join(self.smoke)}"


def rehearse(folder: Path, digest: str = "") -> Rehearsal:
    """Start a server on a package, wait until it is ready, ask every golden row, and stop it.

    Raises
    ------
    IntegrityError
        If the files are not those that were packaged, or the package is not the one with this digest.
    GateRefusedError
        If the server does not become ready, an answer differs from training's, a smoke check fails, or it does not stop
        when told to.
    """
    package = load_package(folder)
    if digest not in ("", package.manifest.digest):
        raise IntegrityError(
            "this is another package than the one that was to be shipped",
            where=str(folder),
            got=package.manifest.digest,
            cure="Make the build context again",
        )
    golden = GoldenSet.from_dict(package.read_json("golden.json"))
    with tempfile.TemporaryDirectory() as log:
        started = time.monotonic()
        with _server(folder, Path(log)) as (process, port):
            _require_ready(port)
            ready_s = time.monotonic() - started
            replies = [_ask(port, "POST", "/predict", row.features) for row in golden.rows]
            smoke = tuple(_smoke(port, package.manifest.digest))
        code = process.wait(_DRAIN_S)
    answered, difference = _compare(package, golden, replies)
    if code not in (0, -15):
        raise _refused("the server did not stop politely", f"exit code {code}")
    return Rehearsal(
        digest=package.manifest.digest,
        answered=answered,
        refused=len(replies) - answered,
        max_abs_difference=difference,
        ready_s=round(ready_s, 3),
        user=os.getuid(),
        exit_code=code,
        smoke=smoke,
    )


@contextlib.contextmanager
def _server(folder: Path, log: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server on a free port of this machine only; told to end when the block does."""
    command = [sys.executable, "-m", "modelyard.serving", "--package", str(folder), "--log", str(log), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    overdue = threading.Timer(_START_S, process.kill)
    overdue.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
        overdue.cancel()
        if not line:
            raise _refused("the server did not start", _last_line(process.communicate(timeout=_ANSWER_S)[1]))
        yield process, urllib.parse.urlsplit(json.loads(line)["url"]).port or 0
        process.terminate()
        process.communicate(timeout=_DRAIN_S)
    except subprocess.TimeoutExpired as error:
        raise _refused("the server did not stop when it was told to", f"{_DRAIN_S} s of waiting") from error
    finally:
        overdue.cancel()
        process.kill()
        process.communicate()


def _require_ready(port: int) -> None:
    status, body = _ask(port, "GET", "/health/ready")
    if status != _OK:
        raise _refused("the server is not ready", str(body.get("reason", status)))


def _smoke(port: int, digest: str) -> Iterator[str]:
    """What callers rely on beside right answers, each named once it was seen to hold."""
    status, body = _ask(port, "GET", "/version")
    if digest not in json.dumps(body):
        raise _refused("the server does not say that it answers from this package", f"status {status}")
    yield "names its package"
    status, _ = _ask(port, "GET", "/health/golden")
    if status != _OK:
        raise _refused("the server does not replay its golden rows", f"status {status}")
    yield "replays its golden rows when asked"
    status, _ = _ask(port, "POST", "/predict", "no row")
    if status // 100 != _CALLERS_FAULT:
        raise _refused("the server does not refuse what is no row", f"status {status}")
    yield "refuses what is no row"


def _ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Mapping[str, Any]]:
    """One request to the server: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, raw, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _refused("the server gave no answer", f"{method} {path}: {error}") from error
    finally:
        connection.close()


def _compare(
    package: Package, golden: GoldenSet, replies: Sequence[tuple[int, Mapping[str, Any]]]
) -> tuple[int, float]:
    """How many rows were answered, and how far at most from what training gave."""
    unexpected = {status for status, _ in replies} - {_OK, _BREAKS_CONTRACT}
    if unexpected:
        raise _refused("a golden row was neither answered nor refused by the contract", f"status {min(unexpected)}")
    pairs = [(row, body) for row, (status, body) in zip(golden.rows, replies, strict=True) if status == _OK]
    if not pairs:
        raise _refused("no golden row was answered", f"{len(replies)} refusals")
    classes = package.read_json("plan.json")["classes"]
    difference = max(_difference(row, body, classes) for row, body in pairs)
    if difference > golden.tolerance:
        raise _refused(
            "the server does not answer as training did",
            f"a difference of {difference:g}, where {golden.tolerance:g} is allowed",
        )
    return len(pairs), difference


def _difference(row: GoldenRow, body: Mapping[str, Any], classes: Sequence[str]) -> float:
    """Between an answer and what training gave for the row."""
    shares = body.get("probabilities")
    got = [body["score"]] if shares is None else [shares[name] for name in classes]
    return largest_difference(np.array(got, dtype=float), np.array(row.expected))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def _refused(what: str, got: str) -> GateRefusedError:
    return GateRefusedError(what, where="rehearsal", got=got, cure="Nothing was shipped; see the messages above")
