import datetime as dt
import functools
import operator
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import IntegrityError
from modelyard.data.profile import ReferenceProfile, build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring.state import (
    Ruler,
    Shape,
    WindowState,
    count_distinct,
    count_feature,
    count_rows,
    merged,
)
from modelyard.monitoring.state.counting import bins_digest
from modelyard.monitoring.state.distinct import merged_registers, registers_of
from modelyard.monitoring.state.hashing import hash_numbers, hash_text

Log = tuple[pl.DataFrame, pl.DataFrame]
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _spread(log: pl.DataFrame, hours: float, seed: int = 0) -> pl.DataFrame:
    """The log's rows at moments drawn over some hours, with a latency."""
    generator = np.random.default_rng(seed)
    seconds = np.sort(generator.random(log.height) * hours * 3600)
    moments = pl.Series("at", [START + dt.timedelta(seconds=float(second)) for second in seconds])
    return log.with_columns(moments, latency_ms=pl.Series(generator.lognormal(1, 1, log.height)))


def test_rows_out_of_order_are_counted_in_their_hours(profile: ReferenceProfile, make_log: Callable[..., Log]) -> None:
    """The order of the log's rows changes no number of any hour, and hours stand in the order of time."""
    log = _spread(make_log(1, rows=200)[0], 6)
    ordered, mixed = count_rows(profile, log), count_rows(profile, log.sample(fraction=1, shuffle=True, seed=1))

    assert mixed == ordered
    assert [state.start for state in mixed] == [START + dt.timedelta(hours=hour) for hour in range(6)]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_hours_add_up_to_the_day_bit_for_bit(
    profile: ReferenceProfile, make_log: Callable[..., Log], rows: int, seed: int
) -> None:
    """The sum of the hours' states is the state of all rows as one period, whatever the order of adding."""
    log = _spread(make_log(1, rows=rows, seed=seed)[0], 24, seed)
    hours = list(count_rows(profile, log))
    whole = count_rows(profile, log.with_columns(at=START))[0]
    np.random.default_rng(seed).shuffle(hours)
    day = functools.reduce(operator.add, hours)

    assert sum(hour.rows for hour in hours) == rows
    assert (day.features, day.ids, day.latency, day.latency_us) == (
        whole.features,
        whole.ids,
        whole.latency,
        whole.latency_us,
    )
    assert day.decisions == whole.decisions
    assert day.age_us == int((log["at"] - day.start).dt.total_microseconds().sum())
    assert WindowState.from_dict(day.to_dict()) == day


def test_a_state_says_what_the_window_held(profile: ReferenceProfile, make_log: Callable[..., Log]) -> None:
    """Nulls, new categories, extremes, quantiles and distinct values come back from the state."""
    log, _ = make_log(1, rows=2_000)
    odd = log.with_columns(
        pl.when(pl.int_range(pl.len()) < 100).then(None).otherwise("feature.spend").alias("feature.spend"),
        pl.when(pl.int_range(pl.len()) < 50).then(pl.lit("odd")).otherwise("feature.plan").alias("feature.plan"),
        pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("score").alias("score"),
    )
    state = merged(count_rows(profile, odd))
    assert state is not None
    spend, plan, age = (state.feature(f"feature.{name}") for name in ("spend", "plan", "age"))
    assert spend is not None
    assert plan is not None
    assert age is not None
    reference = next(one for one in profile.features if one.name == "age")
    quantiles = age.shape.quantiles(Ruler.of(reference), [0.1, 0.5, 0.9])

    assert (spend.counts[-3], plan.counts[-2], state.unscored) == (100, 50, 7)
    assert (age.low, age.high) == (odd["feature.age"].min(), odd["feature.age"].max())
    assert np.allclose(quantiles, np.quantile(odd["feature.age"].to_numpy(), [0.1, 0.5, 0.9]), atol=0.03)
    assert round(count_distinct(plan.distinct)) == 4
    assert abs(count_distinct(age.distinct) / 2_000 - 1) < 0.1


def test_counts_over_other_bins_are_never_added(profile: ReferenceProfile) -> None:
    """Two packages' states refuse each other."""
    one = count_feature(profile.features[0], pl.Series([1.0]), "these")
    other = count_feature(profile.features[0], pl.Series([1.0]), "those")
    with pytest.raises(IntegrityError, match="different bins"):
        _ = one + other


def test_the_digest_of_bins_ignores_what_moves_no_row(profile: ReferenceProfile) -> None:
    """Counts and tolerance may differ between packages with the same bins; edges may not."""
    frame = pl.DataFrame({"x": np.arange(1000.0)})
    columns = [Column("x", ColumnKind.NUMERIC, "Float64", nullable=False)]
    usual, wide = (build_profile(frame, columns, minimum_tolerance=t).features[0] for t in (0.02, 0.5))
    moved = build_profile(frame + 1.0, columns).features[0]

    assert bins_digest(usual) == bins_digest(wide)
    assert bins_digest(usual) != bins_digest(moved)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_a_cell_holds_its_numbers(numbers: list[float]) -> None:
    """Every float has a cell, cells rise with numbers, and quantiles stay within the cells of the numbers."""
    ruler, values = Ruler(1.0, 2.0), np.sort(np.asarray(numbers))
    places = ruler.places(values)
    shape = Shape.of(ruler, values[np.abs(values) < 1e6])

    assert (np.diff(places) >= 0).all()
    near = np.abs(values) < 1e6
    slack = 1e-9 * (1 + np.abs(values[near]))
    ends = np.sort([ruler.lowest(places[near]), ruler.highest(places[near])], axis=0)
    assert (ends[0] - slack <= values[near]).all()
    assert (values[near] <= ends[1] + slack).all()
    assert sum(shape.counts) == near.sum()


@pytest.mark.parametrize("true", [10, 1_000, 200_000])
def test_distinct_values_are_counted_within_a_tenth(true: int) -> None:
    """HyperLogLog with 1,024 registers is right within three standard errors, and merging is counting together."""
    hashes = hash_numbers(np.arange(float(true)))
    half = true // 2
    halves = merged_registers(registers_of([hashes[:half]]), registers_of([hashes[half:]]))

    assert abs(count_distinct(registers_of([hashes])) / true - 1) < 0.1
    assert halves == registers_of([hashes])


def test_a_text_has_one_hash_whatever_stands_beside_it() -> None:
    """Hashes do not depend on the rest of the column, and differ between texts that share a beginning."""
    alone = hash_text(pl.Series(["gold"]))
    beside = hash_text(pl.Series(["gold", "gold plated with much more", "gol", ""]))

    assert alone[0] == beside[0]
    assert len(set(beside.tolist())) == 4
