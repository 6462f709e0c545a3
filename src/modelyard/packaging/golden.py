"""Golden rows: requests with the training pipeline's answers, replayed wherever a package is about to answer."""

import dataclasses
import datetime as dt
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import GateRefusedError, IntegrityError, Record

__all__ = [
    "GoldenRow",
    "GoldenSet",
    "Parity",
    "as_requests",
    "largest_difference",
    "replay",
    "require_native",
    "require_reproduced",
]

Matrix = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class GoldenRow(Record):
    """One request and its answer.

    Parameters
    ----------
    origin
        ``validation``, or the name of the synthetic edge.
    features
        The row as JSON gives it: numbers, text, Booleans, ISO 8601 dates, null.
    expected
        The training pipeline's answer: one number, or one probability per class.
    """

    origin: str
    features: Mapping[str, Any]
    expected: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class GoldenSet(Record):
    """The golden rows of a package, and how far an answer may be from the expected one (relative above 1)."""

    tolerance: float
    rows: tuple[GoldenRow, ...]


@dataclasses.dataclass(frozen=True)
class Parity(Record):
    """How well a scorer reproduces what is expected.

    Parameters
    ----------
    rows
        Rows compared.
    max_abs_difference
        The largest difference of any output; relative to the expected value where that is above 1. An answer that
        is no number counts as the largest double.
    tolerance
        What is allowed.
    ok
        True if there were rows, and none differed by more than the tolerance.
    """

    rows: int
    max_abs_difference: float
    tolerance: float
    ok: bool

    @property
    def in_words(self) -> str:
        """The difference beside what is allowed."""
        return f"a difference of {self.max_abs_difference:g}, where {self.tolerance:g} is allowed"


class _ScoresRows(Protocol):
    """What replaying needs of a scorer."""

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> Matrix: ...


def replay(golden: GoldenSet, scorer: _ScoresRows) -> Parity:
    """Score each golden row as one request, and all of them together; both must agree with what is expected."""
    if not golden.rows:
        return Parity(0, 0.0, golden.tolerance, ok=False)
    requests = [row.features for row in golden.rows]
    expected = np.array([row.expected for row in golden.rows])
    single = np.concatenate([scorer.score_rows([request]).reshape(1, -1) for request in requests])
    together = scorer.score_rows(requests).reshape(len(requests), -1)
    difference = max(largest_difference(single, expected), largest_difference(together, expected))
    return Parity(len(requests), difference, golden.tolerance, ok=difference <= golden.tolerance)


def require_reproduced(parity: Parity, otherwise: str, where: str) -> None:
    """Let what was packaged answer only if it answers here as it did when it was built.

    Parameters
    ----------
    otherwise
        What is wrong then.
    where
        Name and version of the package.

    Raises
    ------
    IntegrityError
        If it does not.
    """
    if not parity.ok:
        raise IntegrityError(
            f"{otherwise} on this machine, so it gives no answers",
            where=where,
            got=parity.in_words,
            cure="Install the versions that the package's requirements.txt names",
        )


def require_native(parity: Parity, cure: str) -> None:
    """Let a scorer that is in no package score only if it answers as the trained model does.

    Raises
    ------
    GateRefusedError
        If it does not.
    """
    if not parity.ok:
        raise GateRefusedError(
            "the native scorer does not answer as the trained model does, so it gives no scores",
            where=f"{parity.rows} golden rows",
            got=parity.in_words,
            cure=f"{cure}, and report the case: this should not happen",
        )


def largest_difference(got: Matrix, expected: Matrix) -> float:
    """The largest difference, relative to the expected value where that is above 1.

    The largest double if shapes differ or one is not finite where the other is.

    >>> largest_difference(np.array([0.5, 2002.0]), np.array([0.5, 2000.0]))
    0.001
    """
    if got.size == expected.size == 0:
        return 0.0
    if got.shape != expected.shape or not np.isfinite(got).all() or not np.isfinite(expected).all():
        return sys.float_info.max
    return float((np.abs(got - expected) / np.maximum(1.0, np.abs(expected))).max())


def as_requests(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON gives them: dates as ISO 8601 text, not-a-number as null."""
    return [{name: _as_json(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def _as_json(value: Any) -> Any:
    """One value as JSON gives it."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
