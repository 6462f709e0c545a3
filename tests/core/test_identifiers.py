"""Identifiers are UUIDs of version 7, and what is made later sorts later, also within a millisecond."""

import itertools
import time
import uuid

import pytest

from modelyard.core import new_id
from modelyard.core.identifiers import new_ids


def test_they_are_uuids_of_version_7() -> None:
    """Version and variant are where the standard has them, and the time is the machine's."""
    before = time.time_ns() // 1_000_000
    made = [uuid.UUID(text) for text in (new_id(), *new_ids(50))]
    after = time.time_ns() // 1_000_000

    assert {item.version for item in made} == {7}
    assert {item.variant for item in made} == {uuid.RFC_4122}
    assert all(before <= item.int >> 80 <= after for item in made)
    assert len(set(made)) == 51


def test_what_is_made_later_sorts_later_within_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that moves by half a microsecond at a time: the order of making is the order of sorting."""
    moments = itertools.count(1_800_000_000_000_000_000, 500)
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    made = [new_id() for _ in range(3_000)]

    assert made == sorted(made)
    assert len({text[:13] for text in made}) == 2  # all of it in two milliseconds
