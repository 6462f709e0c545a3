"""uvicorn's HTTP protocol with a fast lane beside the road to the application."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from modelyard.serving.lane.heads import Headers
from modelyard.serving.lane.lane import Lane
from modelyard.serving.rest import Answer, answer_headers

__all__ = ["LaneProtocol"]

_PATIENCE_S = 1.0
"""A body that takes longer is the application's, which has a limit for it."""


class _NoEvent:
    """Nobody waits for the messages of a request in the lane."""

    @staticmethod
    def set() -> None:
        """Nothing."""


class _Pending:
    """A request in the lane, as uvicorn's protocol wants to see the request that it is busy with."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    message_event = _NoEvent

    def __init__(self) -> None:
        self.disconnected = False
        self.keep_alive = True
        self.response_complete = False


class LaneProtocol(HttpToolsProtocol):
    """Requests that came in one piece go to the lane; those that it leaves, and all others, to the application.

    A request that came as one piece of bytes, with a head that was parsed before, goes there without being parsed again.
    One request of a connection is in the lane at a time. Those that are pipelined behind it wait, as uvicorn has them
    wait behind each other; so do its bounds, its time limits and its end, which are uvicorn's own.

    Parameters
    ----------
    lane
        Answers what is plain.
    """

    def __init__(self, lane: Lane, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lane = lane
        self._is_between = True  # the parser has begun no request
        self._is_left = False  # the lane has seen the request and left it
        self._taken: tuple[Headers, bytes] | None = None
        self._body: bytes | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._pending: _Pending | None = None
        self._head: tuple[object, bytes] = (None, b"")
        self._idle_since: float | None = None
        self._idling: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take a request whose head is known, or parse what came; many clients send the body a moment after the head."""
        self._idle_since = None
        was_between, self._taken = self._is_between, None
        known = self._lane.heads.find(data) if was_between and self._is_ready() else None
        if known is not None and self._take(*known):
            self._unset_keepalive_if_required()
            return
        self._is_left = known is not None
        super().data_received(data)
        if was_between and self._taken is not None:
            self._lane.heads.learn(data, *self._taken)
        if self._body is not None and self._patience is None:
            self._patience = self.loop.call_later(_PATIENCE_S, self._wait_no_longer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._collected()
        if self._idling is not None:
            self._idling.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Whoever has begun to send a request gets an answer to it."""
        if self._body is not None:
            self._wait_no_longer()
        super().shutdown()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Choose the way."""
        if self._is_free() and self._lane.is_plain(self.headers):
            self._body = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep the body together."""
        if self._body is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Let the lane answer, or the application."""
        self._is_between = True
        if self._body is None:
            super().on_message_complete()
            return
        body = self._collected()
        if self._take(self.headers, body):
            self._taken = self.headers, body
        else:
            self._take_road(body)
            super().on_message_complete()

    def _take(self, headers: Headers, body: bytes) -> bool:
        """Have the lane answer; False if it leaves the request."""
        if not self._lane.take(headers, body, self.client, self._send):
            return False
        self._pending = _Pending()
        self.cycle = self._pending  # type: ignore[assignment]  # all that uvicorn asks of it is there
        return True

    def _is_ready(self) -> bool:
        """True if no request is under way, and one more may be."""
        is_first = self.cycle is None or self.cycle.response_complete
        is_bounded = self.limit_concurrency is None or len(self.connections) < self.limit_concurrency
        return is_first and is_bounded and not self.flow.write_paused

    def _is_free(self) -> bool:
        """True if the request may be one for the lane, and none is before it."""
        return (
            self.url == self._lane.path
            and not self._is_left
            and self._is_ready()
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
        )

    def _wait_no_longer(self) -> None:
        """Leave what has come to the application; it knows how long to wait for the rest."""
        self._take_road(self._collected())

    def _take_road(self, body: bytes) -> None:
        """Give the application what has come."""
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _collected(self) -> bytes:
        """The body as far as it has come, for whom it concerns; nobody waits for the rest here."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        body, self._body = self._body, None
        return body or b""

    def _send(self, answer: Answer) -> None:
        """Write a whole answer, and turn to the next request."""
        pending = self._pending
        if pending is None or self.transport.is_closing():
            return
        self._pending = None
        pending.response_complete = True
        closing = b"" if pending.keep_alive else b"connection: close\r\n"
        self.transport.write(
            b"%b%bcontent-length: %d\r\n\r\n%b" % (self._start(answer), closing, len(answer.body), answer.body)
        )
        if not pending.keep_alive:
            self.transport.close()
        if self.pipeline or not pending.keep_alive:
            self.on_response_complete()
        else:
            self._rest()

    def _rest(self) -> None:
        """Nothing is asked at the moment. One timer looks now and then; one for each request would cost more than its answer."""
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self._idling is None:
            self._idling = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        """Close a connection that was idle for too long, or look again when it will have been."""
        self._idling = None
        if self._idle_since is None:
            return  # busy; the next answer has it looked at again
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._idling = self.loop.call_later(left_s, self._close_if_idle)

    def _start(self, answer: Answer) -> bytes:
        """The status line and all headers but those of this one answer; the usual ones are kept for a second."""
        headers = self.server_state.default_headers  # a new list, with the time, every second
        if answer.status == 200 and not answer.headers:
            if self._head[0] is not headers:
                self._head = (headers, _lines(200, [*headers, *answer_headers(answer)]))
            return self._head[1]
        return _lines(answer.status, [*headers, *answer_headers(answer)])


def _lines(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join([STATUS_LINE[status], *(b"%b: %b\r\n" % header for header in headers)])
