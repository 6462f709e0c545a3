"""A whole audit is made once: a later command takes it, unless the question or the rows are others."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelyard import Project
from modelyard.core import GateRefusedError, ProgressEvent

RNG = np.random.default_rng(5)
SIGNAL = RNG.normal(size=300)
LEAKING = pl.DataFrame(
    {"amount": SIGNAL + RNG.normal(size=300), "refund": 2 * SIGNAL, "noise": RNG.normal(size=300), "price": SIGNAL}
)
"""``refund`` is the target in other words: an error of the audit, so that training ends before it has begun."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose audit finds an error."""
    LEAKING.write_csv(tmp_path / "sales.csv")
    Project.new(tmp_path / "sales", data=tmp_path / "sales.csv", target="price")
    return tmp_path / "sales"


def checks_made(root: Path, *settings: str, first: bool = False) -> int:
    """How many checks a command made: ``train``, which is refused, or ``audit``."""
    events: list[ProgressEvent] = []
    project = Project.open(root, settings=settings, progress=events.append)
    if first:
        project.audit()
    else:
        with pytest.raises(GateRefusedError, match="refund"):
            project.train()
    return sum(event.step == "audit" for event in events)


def test_training_takes_the_audit_that_was_made(root: Path) -> None:
    """The gate is asked with its findings all the same."""
    made = checks_made(root, first=True)

    assert made > 10
    assert checks_made(root) == 0
    assert checks_made(root, "name=other") == made
    assert checks_made(root, "name=other") == 0
    assert checks_made(root) == made


def test_training_alone_makes_the_audit(root: Path) -> None:
    """So does training after a quick one, which is no gate."""
    made = checks_made(root)
    Project.open(root).audit(quick=True)

    assert made > 10
    assert checks_made(root) == made


def test_a_changed_source_is_audited_anew(root: Path) -> None:
    """Also when the rows come back that an earlier audit has seen: the report says that they have changed."""
    made = checks_made(root, first=True)
    LEAKING.head(299).write_csv(root.parent / "sales.csv")

    assert checks_made(root) == made
    LEAKING.write_csv(root.parent / "sales.csv")
    assert checks_made(root) == made
    assert checks_made(root) == 0
