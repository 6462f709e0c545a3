"""ADWIN: a window over a stream that grows while nothing changes, and drops its past when something did.

Bifet and Gavaldà 2007, "Learning from time-changing data with adaptive windowing", algorithm ADWIN2: the window is kept as an
exponential histogram, so that n values need about log n numbers, and every cut between its buckets is tried.
"""

import math

__all__ = ["Adwin"]

_MOST_IN_A_ROW = 5
"""Buckets of one size; two of them become one of the next size when there is a sixth."""

_FEWEST = 5
_PAUSE = 32


class Adwin:
    """Watches the mean of values between 0 and 1.

    Parameters
    ----------
    delta
        Bound of the chance of a false alarm at each cut, as in the paper. Cuts are tried every 32 values.

    Examples
    --------
    >>> stream = Adwin()
    >>> any([stream.update(float(number % 10 == 0)) for number in range(2_000)])
    False
    >>> any([stream.update(float(number % 2 == 0)) for number in range(500)])
    True
    >>> 0.4 < stream.mean < 0.6
    True
    """

    def __init__(self, delta: float = 0.002) -> None:
        self._delta = delta
        # For each power of two, the buckets of so many values: their sums, and the squared deviations from their means.
        self._rows: list[list[tuple[float, float]]] = [[]]
        self._seen = 0
        self._width = 0
        self._total = 0.0
        self._squares = 0.0

    @property
    def width(self) -> int:
        """Values in the window: those since the last change, as far as can be told."""
        return self._width

    @property
    def mean(self) -> float:
        """Their mean; 0 before the first."""
        return self._total / self._width if self._width else 0.0

    def update(self, value: float) -> bool:
        """Take the next value; True if the window dropped its past because the mean changed."""
        self._insert(value)
        self._compress()
        self._seen += 1
        if self._seen % _PAUSE or self._width <= 2 * _FEWEST:
            return False
        changed = False
        while self._has_cut():
            self._drop_oldest()
            changed = True
        return changed

    def _insert(self, value: float) -> None:
        if self._width:
            self._squares += (value - self.mean) ** 2 * self._width / (self._width + 1)
        self._width += 1
        self._total += value
        self._rows[0].append((value, 0.0))

    def _compress(self) -> None:
        """Join the two oldest buckets of a size where there are too many."""
        for power, row in enumerate(self._rows):
            if len(row) <= _MOST_IN_A_ROW:
                return
            if power + 1 == len(self._rows):
                self._rows.append([])
            size = 1 << power
            (one, one_squares), (other, other_squares) = row[0], row[1]
            between = (one - other) ** 2 / (2 * size)
            self._rows[power + 1].append((one + other, one_squares + other_squares + between))
            del row[:2]

    def _drop_oldest(self) -> None:
        """Forget the oldest bucket."""
        power = len(self._rows) - 1
        total, squares = self._rows[power].pop(0)
        if not self._rows[power] and power:
            self._rows.pop()
        size = 1 << power
        left = self._width - size
        if left:
            away = total / size - (self._total - total) / left
            self._squares -= squares + away**2 * size * left / self._width
        self._squares = max(self._squares, 0.0)
        self._width = left
        self._total -= total

    def _has_cut(self) -> bool:
        """True if older and newer values differ beyond the bound at any cut between buckets (paper, section 3.3)."""
        if self._width <= 2 * _FEWEST:
            return False
        variance = self._squares / self._width
        sure = math.log(2 * math.log(self._width) / self._delta)
        older, older_total = 0, 0.0
        for power in range(len(self._rows) - 1, -1, -1):
            for total, _ in self._rows[power]:
                older += 1 << power
                older_total += total
                newer = self._width - older
                if newer < _FEWEST:
                    return False
                if older < _FEWEST:
                    continue
                inverse = 1 / older + 1 / newer
                bound = math.sqrt(2 * inverse * variance * sure) + 2 / 3 * inverse * sure
                if abs(older_total / older - (self._total - older_total) / newer) > bound:
                    return True
        return False
