"""The fast lane: the same answers, records and figures as the road, whatever is sent, and in the order it was sent."""

import json
import re
import socket
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from modelyard.serving import read_predictions
from modelyard.serving.access.keys import hash_of
from modelyard.serving.lane.heads import KnownHeads

StartServer = Callable[..., Any]
ROAD = {"accept": "application/json, */*"}
"""A head that the lane leaves to the application, which minds no such thing."""


def head(length: int, *lines: str) -> bytes:
    """The head of a plain request."""
    started = ["POST /predict HTTP/1.1", "host: localhost", "content-type: application/json"]
    return "\r\n".join([*started, f"content-length: {length}", *lines, "", ""]).encode()


class Wire:
    """A bare connection."""

    def __init__(self, url: str) -> None:
        place = urllib.parse.urlparse(url)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=10)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *pieces: bytes) -> None:
        """Send in pieces that arrive one by one."""
        for piece in pieces:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(piece)

    def answers(self, count: int) -> list[tuple[int, str, Any]]:
        """The next answers: status, head, body."""
        return [self._answer() for _ in range(count)]

    def is_closed(self) -> bool:
        """True once the server has closed the connection."""
        return self._socket.recv(1) == b""

    def _answer(self) -> tuple[int, str, Any]:
        while b"\r\n\r\n" not in self._seen:
            self._read()
        raw, _, self._seen = self._seen.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", raw)
        length = int(found.group(1)) if found else 0
        while len(self._seen) < length:
            self._read()
        body, self._seen = self._seen[:length], self._seen[length:]
        return int(raw.split()[1]), raw.decode(), json.loads(body)

    def _read(self) -> None:
        piece = self._socket.recv(65_536)
        assert piece, "the server closed the connection"
        self._seen += piece


def taken(url: str) -> int:
    """How many requests the lane has answered."""
    found = re.search(r"^modelyard_fast_lane_total (\d+)$", httpx.get(f"{url}/metrics").text, re.MULTILINE)
    return int(found.group(1)) if found else -1


def without_id(answer: Any) -> Any:
    """An answer without what is new every time."""
    if isinstance(answer, dict):
        return {name: without_id(value) for name, value in answer.items() if name not in {"id", "instance"}}
    return [without_id(part) for part in answer] if isinstance(answer, list) else answer


def bodies(row: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    """Bodies of all kinds, and whether one is a plain row."""
    rows: list[tuple[Any, bool]] = [
        (row, True),
        (row | {"tenure": 1e6}, True),
        (row | {"Contract": "Three year"}, True),
        (row | {"TotalCharges": None}, True),
        (row | {"unknown": 7}, True),
        (row | {"tenure": None}, True),
        (row | {"tenure": "many"}, False),
        (row | {"tenure": True}, False),
        (row | {"tenure": 10**400}, False),
        (row | {"Contract": {"a": 1}}, False),
        (row | {"unknown": [1]}, False),
        ({name: [value, value] for name, value in row.items()}, False),
        ([row, row], False),
        ({name: row[name] for name in list(row)[1:]}, False),
        ({}, False),
        ([], False),
        ("row", False),
    ]
    yield from ((json.dumps(body).encode(), plain) for body, plain in rows)
    yield from ((body, False) for body in (b"", b"{", b'{"tenure": NaN}', b"[" * 20_000, b"\xff\xfe"))


def test_lane_and_road_answer_alike(start_server: StartServer, row: dict[str, Any]) -> None:
    """Every body gets the same status and the same words by either way, and what is logged is the same."""
    server = start_server()
    with httpx.Client(base_url=server.url) as client:
        for body, is_plain in bodies(row):
            before = taken(server.url)
            by_lane = client.post("/predict", content=body, headers={"content-type": "application/json"})
            assert taken(server.url) - before == is_plain, body[:200]
            by_road = client.post("/predict", content=body, headers=ROAD | {"content-type": "application/json"})
            assert taken(server.url) - before == is_plain
            assert by_lane.status_code == by_road.status_code, body[:200]
            assert without_id(by_lane.json()) == without_id(by_road.json())
            assert {**by_lane.headers, "date": ""} == {**by_road.headers, "date": ""}

    logged = read_predictions(server.log).drop("id", "at", "latency_ms")
    plain = [logged[number : number + 2] for number in range(0, 12, 2)]
    assert all(pair[0].equals(pair[1], null_equal=True) for pair in plain)


def test_a_known_head_changes_no_answer(start_server: StartServer, row: dict[str, Any]) -> None:
    """Whatever follows a head that was parsed before, whole, in pieces or with more behind it, is answered as ever."""
    server = start_server()
    plain = json.dumps(row).encode()
    with Wire(server.url) as wire:
        for body, is_plain in bodies(row):
            padded = body + b" " * (len(plain) - len(body))
            wire.send(head(len(padded)) + plain[: len(padded)].ljust(len(padded)))  # known from here on
            wire.answers(1)
            by_road = httpx.post(
                f"{server.url}/predict", content=padded, headers=ROAD | {"content-type": "application/json"}
            )
            before = taken(server.url)
            for pieces in (
                (head(len(padded)) + padded,),
                (head(len(padded)), padded),
                (head(len(padded)) + padded[:-3], padded[-3:]),
            ):
                wire.send(*pieces)
                (answer,) = wire.answers(1)
                assert (answer[0], without_id(answer[2])) == (by_road.status_code, without_id(by_road.json()))
            wire.send(2 * (head(len(padded)) + padded))
            both = wire.answers(2)
            assert [status for status, _, _ in both] == 2 * [by_road.status_code]
            assert (taken(server.url) > before) == is_plain


def test_heads_are_known_by_their_bytes_up_to_a_bound() -> None:
    """A head is found with a body of its length alone; two requests in one piece teach nothing."""
    known, headers = KnownHeads(), [(b"content-length", b"2")]
    known.learn(b"POST / HTTP/1.1\r\n\r\n{}POST", headers, b"{}")
    assert known.find(b"POST / HTTP/1.1\r\n\r\n{}") is None
    known.learn(b"POST / HTTP/1.1\r\n\r\n{}", headers, b"{}")
    assert known.find(b"POST / HTTP/1.1\r\n\r\n[]") == (headers, b"[]")
    assert known.find(b"POST / HTTP/1.1\r\n\r\n[] ") is None
    assert known.find(b"POST / HTTP/1.0\r\n\r\n[]") is None
    for number in range(5_000):
        known.learn(b"%d\r\n\r\n" % number, headers, b"")
    assert sum(known.find(b"%d\r\n\r\n" % number) is not None for number in range(5_000)) <= 1_024


def test_requests_behind_each_other_are_answered_in_order(start_server: StartServer, row: dict[str, Any]) -> None:
    """Five requests in one piece, of which the lane takes some: five answers, in their order; then a body in pieces."""
    server = start_server()
    plain = [json.dumps(row | {"tenure": number}).encode() for number in (3, 30, 60)]
    many = json.dumps([row, row]).encode()
    live = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
    first, second, third = (head(len(body)) + body for body in plain)
    with Wire(server.url) as wire:
        wire.send(first + second + live + head(len(many)) + many + third)
        answers = wire.answers(5)
        wire.send(head(len(plain[0])), plain[0][:20], plain[0][20:])
        last = wire.answers(1)[0]
    alone = [httpx.post(f"{server.url}/predict", content=body, headers=ROAD).json()["score"] for body in plain]

    assert [status for status, _, _ in answers] == [200] * 5
    assert [answers[place][2]["score"] for place in (0, 1, 4)] == alone
    assert (answers[2][2], len(answers[3][2]["predictions"])) == ({"live": True}, 2)
    assert last[2]["score"] == alone[0]


@pytest.mark.parametrize("line", ["connection: close", "Connection: Close"])
def test_a_connection_is_closed_when_the_caller_says_so(
    start_server: StartServer, row: dict[str, Any], line: str
) -> None:
    """The answer comes first, and says that it was the last."""
    body = json.dumps(row).encode()
    with Wire(start_server().url) as wire:
        wire.send(head(len(body), line) + body)
        status, headers, _ = wire.answers(1)[0]
        assert (status, "connection: close" in headers) == (200, True)
        assert wire.is_closed()


def test_who_may_not_ask_gets_nothing_by_the_lane(
    start_server: StartServer, row: dict[str, Any], tmp_path: Path
) -> None:
    """No key, a key for something else, and requests beyond the rate: refused as on the road, and nothing is logged."""
    file = tmp_path / "keys.json"
    may = {"right": ["predict"], "other": ["feedback"]}
    held = [
        {"hash": hash_of(key.encode()), "name": key, "may": roles, "expires_at": "2999-01-01T00:00:00+00:00"}
        for key, roles in may.items()
    ]
    file.write_text(json.dumps({"keys": held}))
    server = start_server("--keys", str(file), "--rate", "0.01")

    def status(**headers: str) -> int:
        return httpx.post(f"{server.url}/predict", json=row, headers={"accept": "*/*", **headers}).status_code

    assert (status(), status(authorization="Bearer guess"), status(authorization="Bearer other")) == (401, 401, 403)
    assert [status(authorization="Bearer right") for _ in range(2)] == [200, 429]
    assert read_predictions(server.log).height == 1


def test_a_log_that_takes_nothing_is_answered_as_the_policy_says(
    start_server: StartServer, row: dict[str, Any], tmp_path: Path
) -> None:
    """Refused with 503, or answered with a header that says that there is no record."""
    refusing = start_server(log=tmp_path / "first", file_limit_bytes=1_500)
    answering = start_server("--log-on-full", "answer", log=tmp_path / "second", file_limit_bytes=1_500)
    refused = [httpx.post(f"{refusing.url}/predict", json=row) for _ in range(6)][-1]
    answered = [httpx.post(f"{answering.url}/predict", json=row) for _ in range(6)][-1]

    assert (refused.status_code, refused.json()["type"]) == (503, "urn:modelyard:problem:log-unavailable")
    assert (answered.status_code, answered.headers["x-modelyard-log"]) == (200, "left-out")
    assert 0 < read_predictions(refusing.log).height < 6
    assert taken(refusing.url) == taken(answering.url) == 6
