"""What a variant has done: in all, for the metrics, and in the window that the next look judges."""

import dataclasses
from collections import deque

__all__ = ["Tally", "Window"]

_KEPT = 10_000
"""Latencies and scores of a window that are kept; the newest count."""


def _numbers() -> deque[float]:
    return deque(maxlen=_KEPT)


@dataclasses.dataclass
class Window:
    """Requests since the last look that could say something.

    Parameters
    ----------
    requests, errors, invalid
        How many there were, failed, and gave a score that is none.
    latencies_ms, scores
        Of the newest requests and rows.
    others
        Of a shadow: what the champion had answered to the same rows.
    agreed
        Of a shadow: rows for which both decided alike.
    """

    requests: int = 0
    errors: int = 0
    invalid: int = 0
    agreed: int = 0
    latencies_ms: deque[float] = dataclasses.field(default_factory=_numbers)
    scores: deque[float] = dataclasses.field(default_factory=_numbers)
    others: deque[float] = dataclasses.field(default_factory=_numbers)


class Tally:
    """Counts of one variant. Used from the event loop only."""

    def __init__(self) -> None:
        self.window = Window()
        self.requests = 0
        self.rows = 0
        self.errors = 0
        self.invalid = 0
        self.latency_s = 0.0

    def answered(self, latency_ms: float, scores: list[float]) -> None:
        """A request was answered."""
        self.requests += 1
        self.rows += len(scores)
        self.latency_s += latency_ms / 1000
        window = self.window
        window.requests += 1
        window.latencies_ms.append(latency_ms)
        window.scores.extend(scores)

    def failed(self, *, invalid: bool) -> None:
        """A request was not answered by this variant, or with a score that is none."""
        self.requests += 1
        self.errors += not invalid
        self.invalid += invalid
        self.window.requests += 1
        self.window.errors += not invalid
        self.window.invalid += invalid

    def compared(self, others: list[float], agreed: int) -> None:
        """The champion had answered so, and decided alike so often."""
        self.window.others.extend(others)
        self.window.agreed += agreed

    def begin_window(self) -> None:
        """What came until now is judged."""
        self.window = Window()
