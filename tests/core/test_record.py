"""Records survive the way to JSON and back."""

import dataclasses
import datetime as dt
import enum
import json
from collections.abc import Mapping

import pytest

from modelyard.core import IntegrityError, Record


class Colour(enum.StrEnum):
    """Two values are enough."""

    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True)
class Inner(Record):
    """A nested record."""

    low: float
    high: float | None


@dataclasses.dataclass(frozen=True)
class Outer(Record):
    """One field of each supported kind."""

    name: str
    colour: Colour
    at: dt.datetime
    pair: tuple[int, str]
    many: tuple[Inner, ...]
    by_name: Mapping[str, Inner]
    maybe: Inner | None = None


OUTER = Outer(
    "x",
    Colour.BLUE,
    dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    (1, "a"),
    (Inner(0.1, 0.3), Inner(1.0, None)),
    {"k": Inner(2.0, 3.0)},
)


def test_round_trip_through_json_is_exact() -> None:
    """``from_dict`` undoes ``to_dict``, with JSON text in between."""
    again = Outer.from_dict(json.loads(json.dumps(OUTER.to_dict())))

    assert again == OUTER


def test_unknown_field_is_named() -> None:
    """A field that this version does not know is refused, not dropped."""
    with pytest.raises(IntegrityError, match="unknown field in a stored record; got later"):
        Inner.from_dict({"low": 1.0, "high": 2.0, "later": 3})


def test_missing_field_is_named() -> None:
    """A record that was cut short is refused."""
    with pytest.raises(IntegrityError, match="high"):
        Inner.from_dict({"low": 1.0})


def test_whole_floats_come_back_as_floats() -> None:
    """JSON written by others may hold 1 for 1.0."""
    value = Inner.from_dict({"low": 1, "high": 2}).low

    assert isinstance(value, float)
