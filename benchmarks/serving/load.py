"""Load for an HTTP server: closed loops on some connections, or requests at a constant rate; latencies of all answers.

One process with an event loop; what it costs is taken from the machine that the server runs on, as everywhere here.
"""

import asyncio
import collections
import time
import urllib.parse
from collections.abc import Sequence
from typing import Any

__all__ = ["closed_loop", "constant_rate"]

Address = urllib.parse.ParseResult


class _Connection(asyncio.Protocol):
    """One request after the other; anything but 200 ends the run."""

    def __init__(self) -> None:
        self.is_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: Any = None
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def send(self, request: bytes) -> None:
        """Send one request."""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect until the declared length is there."""
        seen = self._seen = self._seen + data
        end = seen.find(b"\r\n\r\n")
        if end < 0:
            return
        if not seen.startswith(b"HTTP/1.1 200"):
            self.failed(seen.decode(errors="replace")[:500])
            return
        start = seen.lower().index(b"content-length: ") + 16
        if len(seen) >= end + 4 + int(seen[start : seen.index(b"\r\n", start)]):
            self._seen = b""
            self.answered()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that hangs up ends the run."""
        self.failed(f"the server closed the connection: {exc}")

    def answered(self) -> None:
        """A whole answer is there."""
        raise NotImplementedError

    def close(self) -> None:
        """The run is over."""
        if not self.is_over.done():
            self.is_over.set_result(None)
        self._transport.close()

    def failed(self, why: str) -> None:
        """The run ends here."""
        if not self.is_over.done():
            self.is_over.set_exception(RuntimeError(why))


class _Loop(_Connection):
    """Sends the next request when it has the answer to the last one."""

    def __init__(self, requests: Sequence[bytes], offset: int, end: float, latencies: list[float]) -> None:
        super().__init__()
        self._requests = requests
        self._number = offset
        self._end = end
        self._latencies = latencies
        self._started = 0.0

    def begin(self) -> None:
        """Send the first, or the next."""
        self._started = time.perf_counter()
        if self._started >= self._end:
            self.close()
            return
        self._number += 1
        self.send(self._requests[self._number % len(self._requests)])

    def answered(self) -> None:
        """Note how long it took, and go on."""
        self._latencies.append(time.perf_counter() - self._started)
        self.begin()


async def closed_loop(address: Address, requests: Sequence[bytes], connections: int, seconds: float) -> list[float]:
    """Latencies, in seconds, of all answers within the time; each connection always has one request under way."""
    loop, latencies = asyncio.get_running_loop(), list[float]()
    host, port, end = address.hostname, address.port, time.perf_counter() + seconds
    opened = [
        (await loop.create_connection(lambda n=n: _Loop(requests, 31 * n, end, latencies), host, port))[1]
        for n in range(connections)
    ]
    for one in opened:
        one.begin()
    await asyncio.gather(*(one.is_over for one in opened))
    return latencies


class _Idle(_Connection):
    """Waits among the idle ones until a request is due."""

    def __init__(self, idle: "collections.deque[_Idle]", latencies: list[float], broken: list[str]) -> None:
        super().__init__()
        self._idle = idle
        self._broken = broken
        self._latencies = latencies
        self.due = 0.0

    def answered(self) -> None:
        """Note how long it took since it was due, and wait again."""
        self._latencies.append(time.perf_counter() - self.due)
        self._idle.append(self)

    def failed(self, why: str) -> None:
        """Whoever sends looks there."""
        if not self.is_over.done():
            self._broken.append(why)


async def constant_rate(
    address: Address, requests: Sequence[bytes], connections: int, per_s: float, seconds: float
) -> list[float]:
    """Latencies since the moment at which each request was due, whether or not a connection was free to send it.

    A request that is late because the server is slow counts as slow (Tene, 2013: coordinated omission).
    """
    loop, latencies = asyncio.get_running_loop(), list[float]()
    idle: collections.deque[_Idle] = collections.deque()
    broken: list[str] = []
    opened = [
        (await loop.create_connection(lambda: _Idle(idle, latencies, broken), address.hostname, address.port))[1]
        for _ in range(connections)
    ]
    idle.extend(opened)
    started, sent, total = time.perf_counter(), 0, int(per_s * seconds)
    while len(latencies) < total:
        due = min(total, int((time.perf_counter() - started) * per_s))
        while sent < due and idle:
            one = idle.popleft()
            one.due = started + sent / per_s
            one.send(requests[sent % len(requests)])
            sent += 1
        await asyncio.sleep(0)
        if broken:
            raise RuntimeError(broken[0])
    for one in opened:
        one.close()
    return latencies
