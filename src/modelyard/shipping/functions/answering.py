"""A package as a function: one call in, one answer out, without a server and without an event loop."""

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modelyard.core import StateError, new_id
from modelyard.packaging import Scorer
from modelyard.serving.endpoint import activate
from modelyard.serving.formats import (
    RefusedRequestError,
    decode_json,
    parse_feedback,
    parse_rows,
    problem_document,
    wants_uncertainty,
)
from modelyard.serving.formats.refusals import (
    contract_violated,
    internal_failure,
    log_unavailable,
    method_not_allowed,
    too_many_rows,
)
from modelyard.serving.prediction_log import LogKind
from modelyard.shipping.functions.logs import FunctionLog, LineLog
from modelyard.version import __version__

__all__ = ["Call", "ModelFunction", "Reply"]

_logger = logging.getLogger("modelyard.function")

_MOST_ROWS = 10_000
_JSON = "application/json"
_PROBLEM = "application/problem+json"


@dataclasses.dataclass(frozen=True)
class Call:
    """What a platform hands over.

    Parameters
    ----------
    method, path, query
        Of the HTTP request; the path without what the platform puts before it.
    body
        The bytes of the body, decoded from base64 if the platform had encoded them.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""


@dataclasses.dataclass(frozen=True)
class Reply:
    """What goes back: status, a JSON document as bytes, and header fields."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class ModelFunction:
    """Answers calls with a package: the contract, the numbers and the refusals are the server's.

    Parameters
    ----------
    package
        Folder of the package; verified by digest and by its golden rows before the first answer.
    log
        Takes predictions and feedback; by default lines on standard output, since a function has no disk of its own.

    Raises
    ------
    IntegrityError
        If a file is not what was packaged, or the golden rows are not reproduced here.
    """

    def __init__(self, package: Path, log: FunctionLog | None = None) -> None:
        self._model = activate(Scorer.load(package).require_golden())
        self._log = log or LineLog()
        self._routes: Mapping[tuple[str, str], Callable[[Call], Any]] = {
            ("POST", "/"): self._predict,
            ("POST", "/predict"): self._predict,
            ("POST", "/feedback"): self._feedback,
            ("GET", "/health/live"): lambda _: {"live": True},
            ("GET", "/health/ready"): lambda _: {"ready": True},
            ("GET", "/version"): self._version,
        }

    def answer(self, call: Call) -> Reply:
        """The answer to a call: never an exception, never the text of one."""
        try:
            return _reply(200, self._route(call)(call))
        except RefusedRequestError as error:
            return _refusal(error)
        except Exception:  # the edge of the process: the log gets it, the caller an id
            instance = new_id()
            _logger.exception("the call failed", extra={"error_id": instance})
            return _refusal(internal_failure(instance), instance)

    def _route(self, call: Call) -> Callable[[Call], Any]:
        handler = self._routes.get((call.method.upper(), call.path))
        if handler is not None:
            return handler
        allowed = [method for method, path in self._routes if path == call.path]
        if allowed:
            raise method_not_allowed(call.method, allowed)
        paths = ", ".join(sorted({path for _, path in self._routes}))
        raise RefusedRequestError(404, "no-such-route", "there is no such route", cure=f"There are: {paths}")

    def _predict(self, call: Call) -> Any:
        """Rows to answers, on record before they leave."""
        model, started = self._model, time.perf_counter()
        uncertainty = wants_uncertainty(call.query, can=model.scorer.conformal is not None)
        parsed = parse_rows(decode_json(call.body))
        if len(parsed.rows) > _MOST_ROWS:
            raise too_many_rows(len(parsed.rows), _MOST_ROWS)
        flags, errors = model.check(parsed.rows)
        if errors:
            raise contract_violated(errors, cure="Correct the fields named in 'errors'")
        answers, records = model.predict(parsed.rows, flags, dt.datetime.now(dt.UTC), started, uncertainty=uncertainty)
        self._record(LogKind.PREDICTIONS, records)
        return answers[0] if parsed.is_single else {"predictions": answers}

    def _feedback(self, call: Call) -> Any:
        """Labels that came back."""
        records = parse_feedback(decode_json(call.body), self._model.classes, dt.datetime.now(dt.UTC).isoformat())
        self._record(LogKind.FEEDBACK, records)
        return {"recorded": len(records)}

    def _version(self, _: Call) -> Any:
        model = self._model
        return {"modelyard": __version__, "model": model.name, "version": model.version, "digest": model.digest}

    def _record(self, kind: LogKind, records: Any) -> None:
        """Write to the log; if it takes nothing, no answer leaves."""
        try:
            self._log.write(kind, records)
        except StateError as error:
            raise log_unavailable() from error


def _reply(status: int, document: Any, content_type: str = _JSON, headers: Mapping[str, str] | None = None) -> Reply:
    fields = {"content-type": content_type, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Reply(status, msgspec.json.encode(document), {**fields, **(headers or {})})


def _refusal(error: RefusedRequestError, instance: str | None = None) -> Reply:
    """A refusal as a problem document (RFC 9457)."""
    return _reply(error.status, problem_document(error, instance or new_id()), _PROBLEM, error.headers)
