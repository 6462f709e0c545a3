import datetime as dt
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.data.splits.strategies import Part, Shares, by_column, by_group, by_time, randomly, stratified

USUAL = Shares(0.70, 0.15, 0.15)
shares = st.sampled_from(
    [USUAL, Shares(0.8, 0.0, 0.2), Shares(0.6, 0.2, 0.2), Shares(0.5, 0.5, 0.0), Shares(1.0, 0.0, 0.0)]
)


@given(st.integers(0, 500), shares, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_random_parts_have_their_shares(rows: int, wanted: Shares, seed: int) -> None:
    """Each part is within one row of its share, a part without a share is empty, and the seed decides all."""
    codes = randomly(rows, wanted, seed)

    assert np.array_equal(codes, randomly(rows, wanted, seed))
    for part in Part:
        assert abs((codes == part).sum() - wanted.as_tuple[part] * rows) <= 1
        assert wanted.as_tuple[part] > 0 or not (codes == part).any()


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=300), shares, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_stratified_parts_have_their_share_of_each_class(labels: list[str], wanted: Shares, seed: int) -> None:
    """Every part is within one row of its share in every class."""
    codes = stratified(pl.Series(labels), wanted, seed)

    assert np.array_equal(codes, stratified(pl.Series(labels), wanted, seed))
    for label in set(labels):
        of_class = codes[np.array(labels) == label]
        for part in Part:
            assert abs((of_class == part).sum() - wanted.as_tuple[part] * len(of_class)) <= 1


def test_stratified_draws_differ_by_seed_but_not_by_label_order() -> None:
    """Another seed draws other rows; renaming nothing, the same seed the same ones."""
    labels = pl.Series(["a", "b"] * 50)

    assert not np.array_equal(stratified(labels, USUAL, 0), stratified(labels, USUAL, 1))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=300), shares, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_groups_stay_whole_and_parts_come_near_their_shares(groups: list[int], wanted: Shares, seed: int) -> None:
    """No group has rows in two parts, no wanted part is empty, and no part is off by more than the largest group."""
    series = pl.Series("g", groups)
    used = [part for part in Part if wanted.as_tuple[part] > 0]
    if series.n_unique() < len(used):
        with pytest.raises(DataError, match="groups cannot fill"):
            by_group(series, wanted, seed)
        return

    codes = by_group(series, wanted, seed)

    assert np.array_equal(codes, by_group(series, wanted, seed))
    assert all(len(set(codes[np.array(groups) == group])) == 1 for group in set(groups))
    assert set(codes) == set(used)
    largest = max(groups.count(group) for group in set(groups))
    for part in used:
        assert abs((codes == part).sum() - wanted.as_tuple[part] * len(groups)) <= 2 * largest


def test_groups_are_dealt_out_by_class_too() -> None:
    """200 households of which every fourth is all "yes": with labels, each part has its share of them, within 2 %."""
    groups = pl.Series("g", np.repeat(np.arange(200), 5))
    labels = pl.Series(np.where(np.arange(1_000) // 5 % 4 == 0, "yes", "no"))
    worst = {"blind": 0.0, "seeing": 0.0}
    for seed in range(20):
        for name, known in (("blind", None), ("seeing", labels)):
            codes = by_group(groups, USUAL, seed, labels=known)
            assert all(group.n_unique() == 1 for group in pl.Series(codes).to_frame("c").group_by(groups).agg("c")["c"])
            shares = [labels.filter(pl.Series(codes == part)).eq("yes").mean() for part in Part]
            worst[name] = max(worst[name], *(abs(float(share) - 0.25) for share in shares))  # type: ignore[arg-type]

    assert worst["seeing"] < 0.02 < worst["blind"]


@given(st.lists(st.integers(0, 40), max_size=300).map(lambda tail: [0, 1, 2, *tail]), shares)
@settings(max_examples=60, deadline=None)
def test_time_runs_from_train_to_test(moments: list[int], wanted: Shares) -> None:
    """Every training moment is before every validation moment, and those before every test moment; none is in two."""
    series = pl.Series("t", moments)
    codes = by_time(series, wanted)
    parts = [np.array(moments)[codes == part] for part in Part if wanted.as_tuple[part] > 0]
    assert sum(len(part) for part in parts) == len(moments)
    assert all(len(part) > 0 for part in parts)
    for earlier, later in itertools.pairwise(parts):
        assert earlier.max() < later.min()


def test_time_is_cut_at_the_moment_nearest_to_the_share() -> None:
    """With ties, the cut moves to where a new moment begins, and no further than needed."""
    moments = pl.Series("t", [0] * 60 + [1] * 15 + [2] * 12 + [3] * 13)

    assert np.bincount(by_time(moments, USUAL)).tolist() == [75, 12, 13]


@pytest.mark.parametrize(
    "moments",
    [
        pl.Series("t", [dt.date(2024, 1, 1) + dt.timedelta(days=day) for day in range(20)]),
        pl.Series("t", [dt.datetime.fromisoformat(f"2024-01-01T{hour:02}:00") for hour in range(20)]),
        pl.Series("t", [float(moment) for moment in range(20)]),
    ],
)
def test_dates_moments_and_numbers_order_rows(moments: pl.Series) -> None:
    """Any ordered type serves; the order of the table does not matter."""
    shuffled = np.random.default_rng(0).permutation(20)

    assert by_time(moments, USUAL).tolist() == [0] * 14 + [1] * 3 + [2] * 3
    assert np.array_equal(by_time(moments[shuffled], USUAL), by_time(moments, USUAL)[shuffled])


def test_a_column_names_the_parts() -> None:
    """Usual spellings are understood."""
    codes = by_column(pl.Series("p", ["Train", "val ", "TEST", "validation"]), USUAL)

    assert codes.tolist() == [Part.TRAIN, Part.VALIDATION, Part.TEST, Part.VALIDATION]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["train", "hold-out"], "holds other words than train, validation and test; got 'hold-out'"),
        (["train", None], "the split column has no value in 1 of 2 rows"),
        (["train", "train"], "the split column names no row test"),
        (["test", "test"], "the split column names no row train"),
    ],
)
def test_a_column_that_names_no_parts_is_refused(values: list[str | None], sentence: str) -> None:
    """Any other word, a gap, or a missing part is an error."""
    with pytest.raises(DataError, match=sentence):
        by_column(pl.Series("p", values), USUAL)


def test_gaps_and_words_are_no_time_and_no_group() -> None:
    """A missing moment or group could stand on either side, so it is refused; so is a word as a moment."""
    with pytest.raises(DataError, match=r"column 't': the time column has no value in 1 of 2 rows"):
        by_time(pl.Series("t", [1, None]), USUAL)
    with pytest.raises(DataError, match=r"column 'g': the group column has no value in 1 of 2 rows"):
        by_group(pl.Series("g", [1, None]), USUAL, 0)
    with pytest.raises(DataError, match="neither a date nor a number; got String such as 'May'"):
        by_time(pl.Series("t", ["May", "June"]), USUAL)
    with pytest.raises(DataError, match="too few distinct moments to divide by time; got 1 for 3 parts"):
        by_time(pl.Series("t", [1, 1, 1]), USUAL)
