from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from modelyard.audit import AuditReport
from modelyard.core import Finding

ROWS = 2_000
Named = Callable[..., list[Finding]]


def sound(seed: int, noise: Callable[[np.random.Generator], np.ndarray]) -> pl.DataFrame:
    """Two thousand rows whose number follows three features, with noise of some shape."""
    random = np.random.default_rng(seed)
    columns = {f"x{n}": random.normal(size=ROWS) for n in range(4)}
    y = 100 + 20 * columns["x0"] + 10 * columns["x1"] + 5 * columns["x2"] + noise(random)
    return pl.DataFrame({"key": [f"k{n}" for n in range(ROWS)], **columns, "y": y})


SHAPES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "normal": lambda random: random.normal(0, 5, ROWS),
    "laplace": lambda random: random.laplace(0, 4, ROWS),
    "growing": lambda random: random.normal(0, 1, ROWS) * np.linspace(1, 8, ROWS),
}


@pytest.mark.parametrize("slip", ["one zero too many", "added", "thousands"])
def test_slips_in_a_number_are_ranked_for_review(audited: Callable[..., AuditReport], named: Named, slip: str) -> None:
    """Of fifteen slips among two thousand numbers all but three are on the list, and almost nothing else."""
    frame = sound(0, SHAPES["normal"])
    wrong = np.random.default_rng(1).choice(ROWS, 15, replace=False)
    y = frame["y"].to_numpy().copy()
    y[wrong] = {"one zero too many": y[wrong] * 10, "added": y[wrong] + 150, "thousands": y[wrong] * 1_000}[slip]
    report = audited(frame.with_columns(y=y), id="key")
    found = {suspect.position for suspect in report.label_suspects}

    (finding,) = named(report, "target-errors", "y")
    assert len(found & set(wrong.tolist())) >= 12
    assert len(found - set(wrong.tolist())) <= 2
    assert finding.evidence["suspects"] == len(report.label_suspects)
    first = report.label_suspects[0]
    assert (first.key, first.probability_given) == (f"k{first.position}", None)
    assert first.distance is not None
    assert first.distance >= 8
    assert abs(float(first.suggested) - frame["y"][first.position]) < 40
    assert AuditReport.from_dict(report.to_dict()) == report


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_noise_is_no_slip(audited: Callable[..., AuditReport], named: Named, shape: str) -> None:
    """Normal noise, heavy tails, and noise that grows with the number raise nothing."""
    report = audited(sound(2, SHAPES[shape]), id="key")

    assert "target-errors" in report.checks
    assert named(report, "target-errors") == []
    assert report.label_suspects == ()


def test_long_tails_of_the_target_are_no_slips(audited: Callable[..., AuditReport], named: Named) -> None:
    """Incomes: multiplicative noise and a long tail are how the world is."""
    frame = sound(3, SHAPES["normal"]).with_columns(y=(pl.col("y") / 25).exp())
    report = audited(frame, id="key")

    assert named(report, "target-errors") == []


def test_weak_features_contradict_nobody(audited: Callable[..., AuditReport]) -> None:
    """Where features say little, the check does not run and says why."""
    random = np.random.default_rng(4)
    frame = pl.DataFrame({"x": random.normal(size=400), "y": random.normal(size=400)})
    (skipped,) = [one for one in audited(frame).skipped if one.check == "target-errors"]

    assert "the best alone reaches R²" in skipped.reason
