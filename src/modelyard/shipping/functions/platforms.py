"""How AWS Lambda and Google's Cloud Functions hand over a call, and what they want back."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from modelyard.shipping.functions.answering import Call, ModelFunction, Reply

__all__ = ["cloud_function", "lambda_handler"]


def lambda_handler(function: ModelFunction) -> Callable[[Any, Any], Any]:
    """The handler that Lambda's runtime interface client calls.

    Understood are the events of function URLs and HTTP APIs (payload format 2.0), of REST APIs (1.0), and plain rows, for
    those who invoke the function directly; these get the document itself, a refusal with its ``status``.
    """

    def handle(event: Any, _context: Any) -> Any:
        call = _call_of(event)
        if call is None:
            return json.loads(function.answer(Call("POST", "/predict", body=msgspec.json.encode(event))).body)
        reply = function.answer(call)
        return {
            "statusCode": reply.status,
            "headers": dict(reply.headers),
            "body": reply.body.decode(),
            "isBase64Encoded": False,
        }

    return handle


def cloud_function(function: ModelFunction) -> Callable[[Any], tuple[bytes, int, dict[str, str]]]:
    """The function that the Functions Framework calls with a Flask request."""

    def handle(request: Any) -> tuple[bytes, int, dict[str, str]]:
        query = request.query_string.decode("latin-1")
        reply: Reply = function.answer(Call(request.method, request.path, query, request.get_data()))
        return reply.body, reply.status, dict(reply.headers)

    return handle


def _call_of(event: Any) -> Call | None:
    """The HTTP request inside an event; None if it is none."""
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return None
    context = event["requestContext"]
    http = context.get("http")
    if isinstance(http, dict):
        method, path, query = http.get("method"), event.get("rawPath"), event.get("rawQueryString")
    else:
        method, path, query = event.get("httpMethod"), event.get("path"), _query(event.get("queryStringParameters"))
    return Call(str(method or ""), _without_stage(str(path or "/"), context), str(query or ""), _body(event))


def _without_stage(path: str, context: Mapping[str, Any]) -> str:
    """The path within the function: some gateways put the name of their stage before it.

    >>> _without_stage("/prod/predict", {"stage": "prod"}), _without_stage("/predict", {"stage": "$default"})
    ('/predict', '/predict')
    """
    prefix = f"/{context.get('stage')}"
    return path.removeprefix(prefix) or "/" if path == prefix or path.startswith(f"{prefix}/") else path


def _query(parameters: Any) -> str:
    return "&".join(f"{name}={value}" for name, value in parameters.items()) if isinstance(parameters, dict) else ""


def _body(event: Mapping[str, Any]) -> bytes:
    """The bytes of the body; what is no base64 though it says so comes back as it is, and is refused as no JSON."""
    text = event.get("body") or ""
    raw = text.encode() if isinstance(text, str) else msgspec.json.encode(text)
    if not event.get("isBase64Encoded"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw
