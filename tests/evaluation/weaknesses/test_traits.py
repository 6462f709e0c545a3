"""What the worst rows share is said if it is there, and held back if it is chance."""

import numpy as np
import polars as pl

from modelyard.data.schema import infer_schema
from modelyard.evaluation.weaknesses.traits import shared_traits


def customers(rows: int, seed: int) -> pl.DataFrame:
    """Columns of every kind, none with anything to say."""
    generator = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "tenure": generator.integers(0, 72, rows),
            "charge": np.where(generator.random(rows) < 0.1, np.nan, generator.normal(60, 20, rows)),
            "plan": generator.choice(["basic", "plus", "max"], rows),
            "active": generator.random(rows) < 0.5,
        }
    ).with_columns(
        since=pl.date(2020, 1, 1) + pl.duration(days=pl.col("tenure") * 30), charge=pl.col("charge").fill_nan(None)
    )


def test_a_planted_trait_is_named() -> None:
    """Young customers of the plan "max" are predicted badly: tree and words find both conditions."""
    frame = customers(2000, 0)
    bad = ((frame["tenure"] < 20) & (frame["plan"] == "max")).to_numpy()
    losses = np.random.default_rng(1).random(2000) + 0.9 * bad
    (trait,) = shared_traits(frame, infer_schema(frame).columns, losses, units=None, seed=0)

    assert "plan is max" in trait.conditions
    assert any(said.startswith(("tenure is at most 19", "since is up to 2021-")) for said in trait.conditions)
    assert len(trait.conditions) == 2
    assert trait.worst / trait.rows > 0.6
    assert 5 < trait.low < trait.lift < trait.high
    assert 900 < trait.of < 1100


def test_missing_values_are_a_trait() -> None:
    """Rows without a charge are the worst, and it is said so."""
    frame = customers(2000, 2)
    losses = np.random.default_rng(3).random(2000) + 2.0 * frame["charge"].is_null().to_numpy()
    (trait,) = shared_traits(frame, infer_schema(frame).columns, losses, units=None, seed=0)

    assert trait.conditions == ("charge is missing",)


def test_chance_is_held_back() -> None:
    """Losses that depend on nothing have a trait in at most three of sixty tables."""
    found = []
    for seed in range(60):
        frame = customers(400, seed)
        losses = np.random.default_rng(1000 + seed).exponential(size=400)
        found.append(bool(shared_traits(frame, infer_schema(frame).columns, losses, units=None, seed=seed)))

    assert sum(found) <= 3


def test_whole_groups_fall_into_one_half() -> None:
    """Losses that belong to groups, not to columns, stay quiet when the groups are known."""
    quiet = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        units = np.repeat(np.arange(40), 15)
        frame = pl.DataFrame(
            {"height": generator.normal(size=40)[units], "side": generator.choice(["l", "r"], 40)[units]}
        )
        losses = generator.normal(size=40)[units] + 0.1 * generator.random(600)
        quiet.append(not shared_traits(frame, infer_schema(frame).columns, losses, units=units, seed=seed))

    assert sum(quiet) >= 19


def test_few_or_equal_rows_say_nothing() -> None:
    """Below 200 rows, or where every row is equally wrong, there is nothing to say."""
    frame = customers(300, 0)
    columns = infer_schema(frame).columns

    assert shared_traits(frame.head(199), columns, np.arange(199.0), units=None, seed=0) == ()
    assert shared_traits(frame, columns, np.ones(300), units=None, seed=0) == ()
