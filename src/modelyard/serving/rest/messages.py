"""Requests with bounded bodies, and answers, on bare ASGI."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

import msgspec

from modelyard.core import new_id
from modelyard.serving.formats import RefusedRequestError, decode_json, problem_document
from modelyard.serving.settings import ServingSettings

__all__ = [
    "LEFT_OUT_HEADER",
    "Answer",
    "Receive",
    "Request",
    "Scope",
    "Send",
    "answer_headers",
    "json_answer",
    "refusal_answer",
    "secured",
    "send_answer",
    "text_answer",
]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_JSON = b"application/json"
_JSON_TYPE = re.compile(rb"^application/(?:json|[\w.+-]+\+json)\s*(?:;\s*charset=\"?utf-?8\"?\s*)?$", re.IGNORECASE)
_SECURED: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
"""Of every answer: it is what its content type says, and nobody keeps it on the way."""

_PAGES = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
"""Of pages: they load nothing, run nothing, and nobody frames them."""

LEFT_OUT_HEADER = (b"x-modelyard-log", b"left-out")
"""Of an answer that leaves without a record."""

_encoder = msgspec.json.Encoder()


class Answer(NamedTuple):
    """A whole response."""

    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Request:
    """One HTTP request.

    Parameters
    ----------
    scope, receive
        From the ASGI server.
    settings
        Bounds of the body.
    values
        What the path names: ``name``, ``version``.
    started
        When it came, by :func:`time.perf_counter`.
    """

    __slots__ = ("_receive", "_scope", "_settings", "started", "values")

    def __init__(
        self, scope: Scope, receive: Receive, settings: ServingSettings, values: Mapping[str, str], started: float
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._settings = settings
        self.values = values
        self.started = started

    @property
    def query(self) -> str:
        """What follows the question mark in the address, undecoded; empty if nothing does."""
        return str(self._scope.get("query_string", b"").decode("latin-1"))

    async def json(self, *, as_python: bool = False) -> Any:
        """The body, decoded; see :func:`~modelyard.serving.formats.decode_json` for ``as_python``.

        A body without a content type is taken for JSON; one with another content type is refused.

        Raises
        ------
        RefusedRequestError
            415 for another content type, 413 for a body too large, 408 for one that does not come, 400 for one that
            is no JSON or was not sent to its end.
        """
        for name, value in self._scope["headers"]:
            if name == b"content-type" and value != _JSON and not _JSON_TYPE.match(value):
                raise _unsupported(value)
        return decode_json(await self.content(), as_python=as_python)

    async def content(self) -> bytes:
        """The body as it came; raises as :meth:`json`, save for the content type."""
        for name, value in self._scope["headers"]:
            if name == b"content-encoding" and value.lower() != b"identity":
                raise _unsupported(value)
            if name == b"content-length" and value.isdigit() and int(value) > self._settings.max_body_bytes:
                raise self._too_large()
        return await self._body()

    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]:
        """Names, in small letters, and values."""
        headers: Iterable[tuple[bytes, bytes]] = self._scope["headers"]
        return headers

    def header(self, wanted: bytes) -> bytes:
        """The value of a header by its name in small letters; empty if it was not sent."""
        for name, value in self.headers:
            if name == wanted:
                return bytes(value)
        return b""

    async def _body(self) -> bytes:
        """All bytes of the body, in the usual case from one message."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > self._settings.max_body_bytes:
                raise self._too_large()
            return body
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                return await self._rest_of_body(message)
        except TimeoutError:
            raise RefusedRequestError(
                408, "body-too-slow", "the body did not come in time", headers={"connection": "close"}
            ) from None

    async def _rest_of_body(self, message: MutableMapping[str, Any]) -> bytes:
        """Further messages up to the last, never more bytes than allowed."""
        pieces: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise RefusedRequestError(400, "body-cut-short", "the caller left before the body had ended")
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > self._settings.max_body_bytes:
                raise self._too_large()
            pieces.append(piece)
            if not message.get("more_body", False):
                return b"".join(pieces)
            message = await self._receive()

    def _too_large(self) -> RefusedRequestError:
        """The refusal of a body beyond the bound; the connection is closed, so that the rest need not be read."""
        return RefusedRequestError(
            413,
            "body-too-large",
            f"the body is larger than {self._settings.max_body_bytes} bytes",
            cure="Send fewer rows at once, or use batch scoring",
            headers={"connection": "close"},
        )


def json_answer(value: Any, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    """``value`` as JSON."""
    return Answer(status, _encoder.encode(value), _JSON, headers)


def text_answer(text: str, content_type: str = "text/plain; charset=utf-8") -> Answer:
    """Plain text."""
    return Answer(200, text.encode("utf-8"), content_type.encode("ascii"))


def refusal_answer(error: RefusedRequestError, instance: str | None = None) -> Answer:
    """A refusal as a problem document, under an id by which it is found again."""
    answer = json_answer(problem_document(error, instance or new_id()), error.status)
    headers = tuple((name.encode("ascii"), value.encode("ascii")) for name, value in error.headers.items())
    return answer._replace(content_type=b"application/problem+json", headers=headers)


def answer_headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    """All headers of an answer but the length of its body."""
    return [(b"content-type", answer.content_type), *_SECURED, *answer.headers]


async def send_answer(answer: Answer, send: Send) -> None:
    """Send a whole answer."""
    headers = [*answer_headers(answer), (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def secured(send: Send) -> Send:
    """The same, with the headers that a page needs; for answers that are made elsewhere."""

    async def send_secured(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *_SECURED, *_PAGES]}
        await send(message)

    return send_secured


def _unsupported(value: bytes) -> RefusedRequestError:
    """The refusal of a body that is no plain JSON."""
    return RefusedRequestError(
        415,
        "unsupported-media-type",
        f"a body of type {value.decode('latin-1')[:80]!r} is not understood",
        cure="Send the header 'content-type: application/json' and a JSON body",
        headers={"accept": "application/json"},
    )
