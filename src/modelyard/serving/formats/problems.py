"""Refusals: what is wrong with a request, as a problem document (RFC 9457)."""

import http
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from modelyard.core import ModelyardError

__all__ = ["FieldError", "RefusedRequestError", "problem_document", "shown"]

_ERRORS_SHOWN = 100
_TEXT_CHARACTERS = 120


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with one field.

    Parameters
    ----------
    row
        Number of the row in the request, from 0; None if the fault is not one row's.
    field
        Name of the field.
    got, expected
        What was sent, shortened, and what would have been accepted.
    rule
        The rule of the contract that was broken, such as ``type``.
    """

    field: str
    got: str
    expected: str
    row: int | None = None
    rule: str = ""


class RefusedRequestError(ModelyardError):
    """A request that is answered with 4xx or 503; it never leaves this room, but becomes a problem document.

    Parameters
    ----------
    status
        HTTP status.
    kind
        Kebab-case name of the problem, the end of its ``type``.
    what
        One sentence for a person, without a final full stop.
    cure
        What to do next.
    errors
        The fields concerned.
    headers
        Header fields that the answer needs, such as ``Allow``.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        what: str,
        *,
        cure: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, cure=cure)
        self.status = status
        self.kind = kind
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def problem_document(error: RefusedRequestError, instance: str) -> dict[str, Any]:
    """The document for a refusal.

    The member ``error`` is what the Open Inference Protocol asks for, ``error_code`` and ``message`` what MLflow's
    clients look at; RFC 9457 allows them beside its own. At most 100 field errors are shown; ``errors_total`` counts
    those that were found.

    >>> problem_document(RefusedRequestError(404, "not-found", "there is no such route"), "0190")["status"]
    404
    """
    document: dict[str, Any] = {
        "type": f"urn:modelyard:problem:{error.kind}",
        "title": http.HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.sentence,
        "instance": f"urn:uuid:{instance}",
        "error": error.sentence,
        "error_code": "BAD_REQUEST" if error.status < 500 else "INTERNAL_ERROR",
        "message": error.sentence,
    }
    if error.errors:
        document["errors"] = error.errors[:_ERRORS_SHOWN]
        document["errors_total"] = len(error.errors)
    return document


def shown(value: Any) -> str:
    """A value as JSON text, shortened.

    >>> shown({"a": [1, None]})
    '{"a":[1,null]}'
    """
    text = msgspec.json.encode(value).decode("utf-8", errors="replace")
    return text if len(text) <= _TEXT_CHARACTERS else f"{text[: _TEXT_CHARACTERS - 1]}…"
