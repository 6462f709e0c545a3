import dataclasses
import datetime as dt

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.data.profile import FeatureReference, build_profile, count_bins
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring.quality import QualityResult, QualitySignal, check_quality, without_slow_columns
from modelyard.monitoring.windows import WindowFacts

ROWS = 1_000
RATE = 0.001
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _reference(values: pl.Series, kind: ColumnKind) -> FeatureReference:
    column = Column("x", kind, str(values.dtype), nullable=True)
    return build_profile(values.alias("x").to_frame(), (column,)).features[0]


@pytest.fixture(scope="module")
def number() -> FeatureReference:
    """A number with 2 % missing."""
    generator = np.random.default_rng(0)
    values = pl.Series("x", generator.gamma(4.0, 10.0, 10_000))
    return _reference(values.set(pl.Series(generator.random(10_000) < 0.02), None), ColumnKind.NUMERIC)


@pytest.fixture(scope="module")
def category() -> FeatureReference:
    """A category with three values."""
    values = np.random.default_rng(0).choice(["a", "b", "c"], 10_000, p=[0.5, 0.4, 0.1])
    return _reference(pl.Series("x", values), ColumnKind.CATEGORY)


def _check(reference: FeatureReference, values: pl.Series) -> tuple[QualityResult, ...]:
    return check_quality("w", reference, values, count_bins(reference, values), RATE)


def _kept(reference: FeatureReference, *days: pl.Series) -> list[tuple[str, QualitySignal]]:
    """Day and signal of every alarm that is left when slow columns are taken out."""
    facts: list[WindowFacts] = []
    alarms: list[QualityResult] = []
    for place, values in enumerate(days):
        start = START + place * DAY
        facts.append(WindowFacts(f"day {place}", start, start + DAY, len(values), 1, judged=True))
        alarms += check_quality(f"day {place}", reference, values, count_bins(reference, values), RATE)
    return [(one.window, one.signal) for one in without_slow_columns(alarms, facts, {"x": reference}, RATE)]


def _paced(values: npt.NDArray[np.float64], days: int) -> FeatureReference:
    """A column in training, evenly spread over so many days."""
    moments = pl.Series([START + days * DAY * place / len(values) for place in range(len(values))])
    column = Column("x", ColumnKind.NUMERIC, "Float64", nullable=True)
    return build_profile(pl.DataFrame({"x": values}), (column,), time=moments).features[0]


def _still(value: float) -> pl.Series:
    return pl.Series("x", [value] * ROWS)


def _numbers(seed: int) -> pl.Series:
    return pl.Series("x", np.random.default_rng(seed).gamma(4.0, 10.0, ROWS))


def _signals(found: tuple[QualityResult, ...]) -> set[QualitySignal]:
    return {result.signal for result in found}


@pytest.mark.parametrize("seed", range(20))
def test_clean_windows_have_no_alarm(number: FeatureReference, category: FeatureReference, seed: int) -> None:
    """Columns as in training are left in peace."""
    letters = pl.Series("x", np.random.default_rng(seed).choice(["a", "b", "c"], ROWS, p=[0.5, 0.4, 0.1]))

    assert _check(number, _numbers(seed)) == ()
    assert _check(category, letters) == ()


def test_missing_values_step_up(number: FeatureReference) -> None:
    """A tenth of the rows missing, where 2 % were, is an alarm with both shares; a third is a large one."""
    tenth = _numbers(1).set(pl.Series(np.arange(ROWS) % 10 == 0), None)
    third = _numbers(1).set(pl.Series(np.arange(ROWS) % 3 == 0), None)
    found = _check(number, tenth)

    assert [(one.signal, one.share, one.large) for one in found] == [(QualitySignal.NULL_RATE, 0.1, False)]
    assert found[0].reference_share == pytest.approx(0.02, abs=0.005)
    assert [one.large for one in _check(number, third)] == [True]


def test_an_all_null_column(number: FeatureReference) -> None:
    """A column that is gone is one large alarm, not a crash."""
    found = _check(number, pl.Series("x", [None] * ROWS, dtype=pl.Float64))

    assert [(one.signal, one.share, one.large) for one in found] == [(QualitySignal.NULL_RATE, 1.0, True)]


def test_new_categories_are_named(category: FeatureReference) -> None:
    """The alarm lists the categories that training never saw, most frequent first."""
    letters = ["a"] * 900 + ["y"] * 60 + ["z"] * 40
    found = _check(category, pl.Series("x", letters))

    assert [(one.signal, one.share, one.detail) for one in found] == [
        (QualitySignal.NEW_CATEGORY, 0.1, "new: 'y', 'z'")
    ]


def test_another_spelling_is_told_from_a_new_category(category: FeatureReference) -> None:
    """Known categories in capitals or with spaces are a fault of the pipeline, not a new world."""
    found = _check(category, pl.Series("x", ["A", " b", "a", "b"] * 250))

    assert [(one.signal, one.large) for one in found] == [(QualitySignal.RESPELLED, True)]


def test_numbers_out_of_range(number: FeatureReference) -> None:
    """A tenth of the numbers far beyond training is an alarm that tells both ranges."""
    values = _numbers(2).set(pl.Series(np.arange(ROWS) % 10 == 0), 9_999.5)
    found = _check(number, values)

    assert _signals(found) == {QualitySignal.OUT_OF_RANGE}
    assert "9,999" in found[0].detail or "10,000" in found[0].detail


@pytest.mark.parametrize("value", [40.0, -1.0])
def test_a_frozen_column(number: FeatureReference, value: float) -> None:
    """One value in every row is a large alarm, whether training knew it or not."""
    found = _check(number, pl.Series("x", [value] * ROWS))

    assert QualitySignal.FROZEN in _signals(found)
    assert all(one.large for one in found)


def test_a_column_that_was_always_constant_is_not_frozen() -> None:
    """What never changed need not change now."""
    constant = _reference(pl.Series("x", [3.0] * 5_000), ColumnKind.NUMERIC)

    assert _check(constant, pl.Series("x", [3.0] * ROWS)) == ()


def test_without_a_pace_a_column_that_rests_at_several_values_is_slow(number: FeatureReference) -> None:
    """A column that rests at another value in each window is slow; one that rests at one value is frozen."""
    resting, frozen = [_still(40.0), _still(40.0), _still(41.0)], [_still(40.0), _still(40.0)]

    assert number.pace is None
    assert _kept(number, *resting) == []
    assert _kept(number, *frozen) == [("day 0", QualitySignal.FROZEN), ("day 1", QualitySignal.FROZEN)]


def test_a_column_that_moves_by_the_month_is_frozen_only_after_several() -> None:
    """Two years of a monthly figure: a month at one value, or a new value within a day, is no fault; half a year is."""
    monthly = np.repeat(np.random.default_rng(1).normal(100.0, 5.0, 24), 500)
    reference = _paced(monthly, 24 * 30)
    value = float(monthly[0])
    turning = pl.Series("x", np.repeat([value, float(monthly[1])], ROWS // 2))

    assert reference.pace is not None
    assert reference.pace.changes == 23
    assert _kept(reference, *[_still(value)] * 30, turning) == []
    found = _kept(reference, *[_still(value)] * 180)
    first = int(found[0][0].removeprefix("day "))
    assert 45 < first < 120
    assert found == [(f"day {day}", QualitySignal.FROZEN) for day in range(first, 180)]


def test_a_sensor_that_freezes_is_found_on_the_first_day() -> None:
    """A column that hardly ever repeats its value is frozen as soon as a day shows one; so is one that repeats it an hour long."""
    generator = np.random.default_rng(2)
    lively = _paced(generator.normal(20.0, 3.0, 20_000), 100)
    hourly = _paced(np.repeat(generator.normal(20.0, 3.0, 2_400), 8), 100)
    day = pl.Series("x", generator.normal(20.0, 3.0, ROWS))
    hours = pl.Series("x", np.repeat(generator.normal(20.0, 3.0, 24), 40))

    for reference, usual in ((lively, day), (hourly, hours)):
        frozen = _still(float(usual[-1]))
        assert _kept(reference, usual, usual) == []
        assert _kept(reference, usual, frozen) == [("day 1", QualitySignal.FROZEN)]


def test_a_default_is_found_in_a_column_with_a_pace() -> None:
    """A value in a third of the rows, where values hardly ever repeat, is a new spike."""
    lively = _paced(np.random.default_rng(3).normal(20.0, 3.0, 20_000), 100)
    filled = pl.Series("x", np.where(np.arange(ROWS) % 3 == 0, -1.0, np.random.default_rng(4).normal(20.0, 3.0, ROWS)))

    assert ("day 0", QualitySignal.NEW_SPIKE) in _kept(lively, filled)


def test_a_column_that_came_in_lumps_may_rest(number: FeatureReference) -> None:
    """A large learnt tolerance means that windows always differed; it is all there is where the pace is not known."""
    lumpy = dataclasses.replace(number, tolerance=0.5)

    assert _check(lumpy, pl.Series("x", [40.0] * ROWS)) == ()


def test_a_default_that_fills_the_column(number: FeatureReference) -> None:
    """A value in a third of the rows that was rare in training is a new spike."""
    values = _numbers(3).set(pl.Series(np.arange(ROWS) % 3 == 0), 40.0)
    found = _check(number, values)

    assert _signals(found) == {QualitySignal.NEW_SPIKE}
    assert found[0].detail == "value 40.0"


@pytest.mark.parametrize(("factor", "words"), [(1000.0, "multiplied by 1,000"), (0.01, "divided by 100")])
def test_a_change_of_unit(number: FeatureReference, factor: float, words: str) -> None:
    """Median and spread changed by one known factor are called a change of unit."""
    found = _check(number, _numbers(4) * factor)
    units = [one for one in found if one.signal is QualitySignal.UNIT_CHANGE]

    assert len(units) == 1
    assert words in units[0].detail


def test_a_change_of_unit_is_seen_in_few_rows() -> None:
    """Chance moves the quantiles of three hundred skewed numbers by more than a tenth; the unit is nearly always named."""
    draws = np.random.default_rng(9)
    reference = _reference(pl.Series("x", draws.exponential(30.0, 6_000)), ColumnKind.NUMERIC)
    windows = [pl.Series("x", draws.exponential(30.0, 300)) for _ in range(40)]
    named = [one.detail for window in windows for one in _check(reference, window * 100) if one.signal == "unit-change"]
    grown = [one for window in windows for one in _check(reference, window * 1.3) if one.signal == "unit-change"]

    assert len(named) >= 38
    assert all("multiplied by 100 " in detail for detail in named)
    assert grown == []


def test_a_shift_is_not_a_change_of_unit(number: FeatureReference) -> None:
    """Numbers that grew by half are drift, not a unit."""
    assert QualitySignal.UNIT_CHANGE not in _signals(_check(number, _numbers(5) * 1.5))


@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_or_one_row(number: FeatureReference, rows: int) -> None:
    """Too little to say anything is no alarm."""
    assert _check(number, pl.Series("x", [5.0] * rows, dtype=pl.Float64)) == ()
