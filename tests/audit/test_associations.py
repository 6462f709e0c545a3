"""Associations and gaps: what goes together is seen, what does not is not."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.audit.associations import associations
from modelyard.audit.context import AuditContext
from modelyard.audit.gaps import gap_patterns
from modelyard.audit.records import GapPattern
from modelyard.data import Dataset, assign_roles, conform, infer_schema
from modelyard.problem import Problem

Context = Callable[[pl.DataFrame], AuditContext]


@pytest.fixture
def context() -> Context:
    """The context of a table with the numeric target ``y``."""

    def of(frame: pl.DataFrame) -> AuditContext:
        problem = Problem.model_validate({"task": "regression", "data": {"source": "t", "target": "y"}})
        schema = infer_schema(frame)
        return AuditContext(Dataset("t", conform(frame, schema), schema), problem, assign_roles(problem, schema), 0)

    return of


def test_all_kinds_are_measured_alike(context: Context) -> None:
    """A copy, a bent copy, a category cut from a number, and noise."""
    random = np.random.default_rng(1)
    x = random.normal(size=3_000)
    frame = pl.DataFrame(
        {
            "x": x,
            "bent": x**2,
            "cut": np.where(x > 0, "high", "low"),
            "noise": random.normal(size=3_000),
            "letter": random.choice(list("abcdef"), 3_000),
            "y": random.normal(size=3_000),
        }
    )
    found = associations(context(frame))
    assert found is not None
    strength = {frozenset((first, second)): value for first, second, value in found.pairs(0.0)}

    assert strength[frozenset(("x", "cut"))] > 0.95
    assert strength[frozenset(("x", "bent"))] > 0.5
    assert max(value for pair, value in strength.items() if pair & {"noise", "letter"}) < 0.06
    assert [row[i] for i, row in enumerate(found.strengths)] == [1.0] * 5
    assert found.pairs(0.5)[0][:2] in (("x", "cut"), ("cut", "x"))


def test_too_little_to_measure(context: Context) -> None:
    """One feature, or fewer than 50 rows, have no associations."""
    assert associations(context(pl.DataFrame({"x": range(100), "y": range(100)}))) is None
    assert associations(context(pl.DataFrame({"x": range(9), "z": range(9), "y": range(9)}))) is None


def test_gaps_that_come_together(context: Context) -> None:
    """Two columns that are missing in the same rows are one pattern; whole rows are one too."""
    rows = np.arange(100)
    late = pl.Series([None if row % 5 == 0 else float(row) for row in rows])
    frame = pl.DataFrame(
        {"a": late, "b": late, "c": [None if row == 1 else 1.5 * row for row in rows], "y": 1.0 * rows}
    )

    assert gap_patterns(context(frame)) == (
        GapPattern((), 79),
        GapPattern(("a", "b"), 20),
        GapPattern(("c",), 1),
    )
    assert gap_patterns(context(frame.drop_nulls())) == ()
