"""Plain rows, from their bytes to answers that are on record.

A row is decoded, checked and admitted when it comes. What came in one turn of the event loop is then scored, logged and
answered together, step by step: each step finds its code and its tables in the processor's cache, and one write serves
all. There is no timer, so a row that comes alone waits for nothing.
"""

import asyncio
import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from modelyard.core import StateError, new_ids
from modelyard.serving.answering import Answering
from modelyard.serving.endpoint import ActiveModel, Endpoint, PredictionRecord
from modelyard.serving.formats import Flag, Prediction, Row
from modelyard.serving.formats.refusals import log_unavailable
from modelyard.serving.lane.heads import Headers, KnownHeads
from modelyard.serving.rest import LEFT_OUT_HEADER, Answer, json_answer, refusal_answer

if TYPE_CHECKING:
    from modelyard.serving.access import Guard

__all__ = ["Lane"]

Fail = Callable[[str, Exception], Answer]
"""Makes the answer to a failure of our own, by the path and what was raised."""

_PATH = "/predict"
_NEEDS = "predict"
_LENGTH_DIGITS = 5  # up to 99,999 bytes: one row
_PLAIN = {
    b"content-type": frozenset({b"application/json"}),
    b"accept": frozenset({b"*/*", b"application/json"}),
    b"connection": frozenset({b"keep-alive", b"Keep-Alive"}),
    b"content-encoding": frozenset({b"identity"}),
    b"transfer-encoding": frozenset[bytes](),
    b"expect": frozenset[bytes](),
    b"upgrade": frozenset[bytes](),
}
"""What a header may say; with any other value, the request takes the road."""


@dataclasses.dataclass(slots=True)
class _Asked:
    """A row that may be answered, by whom, when it came, and where its answer goes."""

    model: ActiveModel
    row: Row
    flags: tuple[Flag, ...]
    started: float
    send: Callable[[Answer], None]


class Lane:
    """Answers single rows that the contract lets pass, while nothing is rolled out.

    Parameters
    ----------
    endpoint
        Gives the model.
    answering
        Its logs, its policy and its figures.
    guard
        Lets requests pass.
    fail
        Says what happened to whoever gets no answer.

    Attributes
    ----------
    taken
        Requests that were answered here.
    heads
        Those that were found plain.
    """

    path = _PATH.encode()

    def __init__(self, endpoint: Endpoint, answering: Answering, guard: "Guard", fail: Fail) -> None:
        self._endpoint = endpoint
        self._answering = answering
        self._guard = guard
        self._fail = fail
        self._asked: list[_Asked] = []
        self._decode = msgspec.json.Decoder().decode
        self.taken = 0
        self.heads = KnownHeads()

    @staticmethod
    def is_plain(headers: Headers) -> bool:
        """True for a head that asks for nothing special, with the length of a body that may be one row."""
        has_length = False
        for name, value in headers:
            if name == b"content-length":
                has_length = len(value) <= _LENGTH_DIGITS
            elif name in _PLAIN and value not in _PLAIN[name]:
                return False
        return has_length

    def take(self, headers: Headers, body: bytes, client: object, send: Callable[[Answer], None]) -> bool:
        """Take a request, whose answer is sent in a later turn of the loop; False leaves it to the road, and nothing has happened to it."""
        started = time.perf_counter()
        model = self._endpoint.active
        try:
            row = self._decode(body)
            flags = self._flags(model, row)
            if flags is None:
                return False
            self._guard.admit({"headers": headers, "client": client}, _NEEDS)
        except Exception:  # noqa: BLE001 - what fails here fails on the road as well, which says so in words
            return False
        if not self._asked:
            asyncio.get_running_loop().call_soon(self._work_off)
        self._asked.append(_Asked(model, row, flags, started, send))
        self.taken += 1
        return True

    def _flags(self, model: ActiveModel, row: Any) -> tuple[Flag, ...] | None:
        """The flags of a row that can be answered here; None if it is none, or somebody else has to answer."""
        is_row = row.__class__ is dict and row and list not in map(type, row.values())
        if not is_row or not model.is_verified or self._answering.routing.router is not None:
            return None
        flags, errors = model.check((row,))
        return None if errors else flags[0]

    def _work_off(self) -> None:
        """Score and log what has come, by the model that each request saw."""
        asked, self._asked = self._asked, []
        model = asked[0].model
        if any(one.model is not model for one in asked):
            for one in asked:
                self._answer(one.model, [one])
        else:
            self._answer(model, asked)

    def _answer(self, model: ActiveModel, asked: Sequence[_Asked]) -> None:
        """Score and log rows; where that fails for several, one by one, so that one does not fail the others."""
        try:
            pairs = self._scored(model, asked)
        except Exception as error:  # noqa: BLE001 - the edge of the process: the log gets it, the caller an id
            if len(asked) == 1:
                self._send(asked[0], self._fail(_PATH, error))
                return
            for one in asked:
                self._answer(model, [one])
            return
        answers, records = [answer for answer, _ in pairs], [record for _, record in pairs]
        keeper = self._answering.keeper
        keeper.hand_in(self._answering.predictions, records, lambda error: self._kept(model, asked, answers, error))

    @staticmethod
    def _scored(model: ActiveModel, asked: Sequence[_Asked]) -> list[tuple[Prediction, PredictionRecord]]:
        """Answers and their records."""
        scorer = model.scorer
        scores = scorer.score_each([one.row for one in asked])
        scored = zip(scores, map(scorer.decide_row, scores), strict=True)
        at, now = dt.datetime.now(dt.UTC), time.perf_counter()
        return [
            model.pair(identifier, one.row, one.flags, found, at, round((now - one.started) * 1000, 4))
            for identifier, one, found in zip(new_ids(len(asked)), asked, scored, strict=True)
        ]

    def _kept(
        self, model: ActiveModel, asked: Sequence[_Asked], answers: Sequence[Prediction], error: StateError | None
    ) -> None:
        """The log has the records, or not: send what the policy allows."""
        keeper = self._answering.keeper
        if error is not None and not keeper.answers_always:
            refused = log_unavailable()
            for one in asked:
                self._send(one, refusal_answer(refused))
            return
        if error is not None:
            keeper.leave_out(len(answers), error)
        headers = () if error is None else (LEFT_OUT_HEADER,)
        self._answering.count(model, answers)
        for one, answer in zip(asked, answers, strict=True):
            self._send(one, json_answer(answer, headers=headers))

    def _send(self, one: _Asked, answer: Answer) -> None:
        """Send an answer, and count the request."""
        one.send(answer)
        self._answering.metrics.observe(_PATH, answer.status, time.perf_counter() - one.started)
