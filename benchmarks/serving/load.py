"""Load for an HTTP server: closed loops by wrk, or requests at a constant rate; what it costs shares the server's cores.

wrk (Debian's package of that name) is written in C, so that what is measured is the server. The constant rate comes from
one process that never sleeps, a whole core's worth.
"""

import collections
import dataclasses
import json
import select
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Closed", "closed_loop", "constant_rate"]

Address = urllib.parse.ParseResult

_SCRIPT = """
local bodies = {%s}
local number = 0
request = function()
  number = number %% #bodies + 1
  return bodies[number]
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"answers": %%d, "seconds": %%f, "p50": %%d, "p99": %%d, "p999": %%d, "failed": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclasses.dataclass(frozen=True)
class Closed:
    """What closed loops saw: answers, the seconds they took, latencies in ms at the median and in the tail."""

    answers: int
    per_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float


def closed_loop(address: Address, requests: Sequence[bytes], connections: int, seconds: float) -> Closed:
    """Each connection sends its next request when it has the answer to the last one; wrk, one thread.

    Raises
    ------
    RuntimeError
        If wrk is not installed, or an answer was not 200.
    """
    if shutil.which("wrk") is None:
        raise RuntimeError("the load comes from wrk, which is not installed. Run: sudo apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(_SCRIPT % ",".join(map(_quoted, requests)), encoding="latin-1")
        asked = ["wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "30s"]
        done = subprocess.run(
            [*asked, "-s", str(script), address.geturl()],
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 90,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    if found["failed"]:
        raise RuntimeError(f"{found['failed']} of {found['answers']} requests failed:\n{done.stdout}")
    return Closed(
        found["answers"], found["answers"] / found["seconds"], *(found[name] / 1e3 for name in ("p50", "p99", "p999"))
    )


def _quoted(request: bytes) -> str:
    """A request as a string of Lua."""
    return (
        '"'
        + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in request)
        + '"'
    )


def constant_rate(
    address: Address, requests: Sequence[bytes], connections: int, per_s: float, seconds: float
) -> list[float]:
    """Latencies, in seconds, since the moment at which each request was due, whether or not a connection was free to send it.

    A request that is late because the server is slow counts as slow (Tene, 2013: coordinated omission).

    Raises
    ------
    RuntimeError
        If an answer is not 200, or comes in pieces that make no sense.
    """
    wires = [socket.create_connection((address.hostname, address.port)) for _ in range(connections)]
    arrivals = select.epoll()
    for wire in wires:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.setblocking(False)
        arrivals.register(wire, select.EPOLLIN)
    by_number = {wire.fileno(): wire for wire in wires}
    idle, due, seen = collections.deque(by_number), dict[int, float](), dict[int, bytes]()
    latencies, sent, total = list[float](), 0, int(per_s * seconds)
    started = time.perf_counter()
    while len(latencies) < total:
        asked = min(total, int((time.perf_counter() - started) * per_s) + 1)
        while sent < asked and idle:
            number = idle.popleft()
            due[number] = started + sent / per_s
            by_number[number].send(requests[sent % len(requests)])
            sent += 1
        for number, _ in arrivals.poll(0):
            seen[number] = seen.get(number, b"") + by_number[number].recv(65_536)
            if _is_whole(seen[number]):
                latencies.append(time.perf_counter() - due[number])
                seen[number] = b""
                idle.append(number)
    arrivals.close()
    for wire in wires:
        wire.close()
    return latencies


def _is_whole(answer: bytes) -> bool:
    """True once the declared length is there."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {answer[:500]!r}")
    return bool(end) and len(body) == int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
