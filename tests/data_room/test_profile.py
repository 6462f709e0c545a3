import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.data import (
    Column,
    ColumnKind,
    FeatureReference,
    ReferenceProfile,
    bin_labels,
    build_profile,
    count_bins,
    debiased_psi,
    infer_schema,
    read_table,
    smoothed_psi,
)
from modelyard.data.profile import bin_places


def profile_of(values: pl.Series, kind: ColumnKind) -> FeatureReference:
    """The reference of one column."""
    column = Column(values.name, kind, str(values.dtype), nullable=True)
    return build_profile(values.to_frame(), (column,)).features[0]


def counted(feature: FeatureReference, values: pl.Series) -> dict[str, int]:
    """Non-empty bins by label."""
    counts = count_bins(feature, values).tolist()
    return {label: count for label, count in zip(bin_labels(feature), counts, strict=True) if count}


def test_numbers_fall_into_ten_equal_bins() -> None:
    """A thousand different numbers make ten bins of a hundred; nothing is missing, new or a spike."""
    feature = profile_of(pl.Series("x", np.random.default_rng(0).permutation(1000).astype(float)), ColumnKind.NUMERIC)

    assert feature.counts == (100,) * 10 + (0, 0, 0)
    assert feature.edges == (*(float(edge) for edge in range(99, 899, 100)), 899.0)
    assert (feature.low, feature.high, feature.spike, feature.tolerance) == (0.0, 999.0, None, 0.02)


def test_missing_new_and_frequent_numbers_have_bins_of_their_own() -> None:
    """Null and NaN are NULL, beyond the training range is NEW, and the frequent zero has a bin of its own."""
    feature = profile_of(pl.Series("x", [0.0] * 50 + [float(value) for value in range(1, 51)]), ColumnKind.NUMERIC)
    current = pl.Series("x", [0.0, 0.0, None, float("nan"), -1.0, 50.1, 50.0])

    assert feature.spike == 0.0
    assert counted(feature, current) == {"= 0": 2, "NULL": 2, "NEW": 2, "> 45": 1}
    assert sum(feature.counts) == 100
    assert feature.counts[-1] == 50


def test_few_distinct_numbers_make_few_bins() -> None:
    """A 0/1 column is a spike and one bin; a constant is a spike alone; no bin is empty by construction."""
    binary = profile_of(pl.Series("x", [0, 0, 0, 1, 1]), ColumnKind.NUMERIC)
    constant = profile_of(pl.Series("x", [7, 7]), ColumnKind.NUMERIC)
    empty = profile_of(pl.Series("x", [None, None], dtype=pl.Float64), ColumnKind.NUMERIC)

    assert (binary.spike, binary.edges, binary.counts) == (0.0, (), (2, 0, 0, 3))
    assert constant.counts == (0, 0, 0, 2)
    assert empty.counts == (0, 2, 0, 0)
    assert counted(empty, pl.Series("x", [1.0])) == {"NEW": 1}


def test_categories_keep_the_top_twenty() -> None:
    """The rarer ones share OTHER; one that training never saw is NEW."""
    values = [f"c{index:02}" for index in range(25) for _ in range(30 - index)]
    feature = profile_of(pl.Series("c", values), ColumnKind.CATEGORY)

    assert feature.categories == tuple(f"c{index:02}" for index in range(20))
    assert feature.others == tuple(f"c{index:02}" for index in range(20, 25))
    assert counted(feature, pl.Series("c", ["c00", "c24", "never", None])) == {
        "c00": 1,
        "OTHER": 1,
        "NEW": 1,
        "NULL": 1,
    }
    assert feature.counts[20] == sum(30 - index for index in range(20, 25))


def test_very_many_categories_know_no_new_one() -> None:
    """A million categories are not kept; then what is not in the top twenty is OTHER."""
    feature = profile_of(pl.Series("c", [f"v{index // 2}" for index in range(4000)]), ColumnKind.CATEGORY)

    assert (feature.others, feature.others_known) == ((), False)
    assert counted(feature, pl.Series("c", ["never"])) == {"OTHER": 1}


def test_booleans_and_dates_are_counted() -> None:
    """Booleans are two categories; dates are days since 1970, and a later one is NEW."""
    flag = profile_of(pl.Series("b", [True, True, False]), ColumnKind.BOOLEAN)
    days = pl.Series("d", [dt.date(2020, 1, 1) + dt.timedelta(days=day) for day in range(100)])
    date = profile_of(days, ColumnKind.DATE)

    assert bin_labels(flag)[:2] == ("true", "false")
    assert flag.counts == (2, 1, 0, 0, 0, 0)
    assert date.counts == (10,) * 10 + (0, 0, 0)
    assert date.low == (dt.date(2020, 1, 1) - dt.date(1970, 1, 1)).days
    assert counted(
        date,
        pl.Series("d", [dt.datetime.fromisoformat("2020-01-01T12:00"), dt.datetime.fromisoformat("2021-01-01T00:00")]),
    ) == {
        bin_labels(date)[0]: 1,
        "NEW": 1,
    }


@given(
    st.lists(st.none() | st.floats(-5, 5) | st.just(0.0), min_size=1, max_size=60),
    st.lists(st.none() | st.floats(-9, 9), max_size=30),
    st.lists(st.none() | st.floats(-9, 9), max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_counts_add_up(train: list[float | None], first: list[float | None], second: list[float | None]) -> None:
    """The counts of two windows add up to the counts of both together, and every value is counted once."""
    feature = profile_of(pl.Series("x", train, dtype=pl.Float64), ColumnKind.NUMERIC)
    one, two, both = (
        count_bins(feature, pl.Series("x", values, dtype=pl.Float64)) for values in (first, second, first + second)
    )

    assert (one + two).tolist() == both.tolist()
    assert both.sum() == len(first) + len(second)
    assert len(both) == feature.bins == len(bin_labels(feature)) == len(feature.counts)
    assert sum(feature.counts) == len(train)
    assert feature.counts[-2] == 0


@given(
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=40),
    st.lists(st.sampled_from(["a", "z", None])),
)
@settings(max_examples=30, deadline=None)
def test_category_counts_are_plain_counts(train: list[str | None], current: list[str | None]) -> None:
    """A window is counted as by hand."""
    feature = profile_of(pl.Series("c", train, dtype=pl.String), ColumnKind.CATEGORY)
    counts = dict(zip(bin_labels(feature), count_bins(feature, pl.Series("c", current, dtype=pl.String)), strict=True))

    assert counts["NULL"] == current.count(None)
    assert counts["NEW"] == current.count("z") + (0 if "a" in train else current.count("a"))
    assert counts.get("a", 0) == (current.count("a") if "a" in train else 0)


def test_the_index_is_the_published_sum() -> None:
    """By hand: shares 0.5/0.5 against 0.8/0.2 with half a row added to each bin; unused bins do not count."""
    p, q = np.array([50.5, 50.5]) / 101, np.array([80.5, 20.5]) / 101
    by_hand = float(((p - q) * np.log(p / q)).sum())

    assert smoothed_psi([50, 50, 0], [80, 20, 0]) == pytest.approx(by_hand, abs=1e-12)
    assert smoothed_psi([10, 20], [10, 20]) == 0.0
    assert debiased_psi([50, 50, 0], [80, 20, 0]) == pytest.approx(by_hand - 1 / 50, abs=1e-12)
    assert debiased_psi([0, 0], [1, 2]) == 0.0


def test_without_change_the_debiased_index_is_about_zero() -> None:
    """Over 300 windows drawn from the reference's own law, the mean is within 3 standard errors of 0."""
    random = np.random.default_rng(1)
    shares = np.full(10, 0.1)
    changes = [debiased_psi(random.multinomial(20_000, shares), random.multinomial(1_000, shares)) for _ in range(300)]

    assert abs(np.mean(changes)) < 3 * np.std(changes) / np.sqrt(300)


def test_tolerance_needs_twenty_windows() -> None:
    """A steady column keeps the minimum; a wandering one is allowed its own restlessness; short tables get no say."""
    random = np.random.default_rng(0)
    rows = 20_000
    time = pl.Series("t", random.permutation(rows))
    frame = pl.DataFrame(
        {"steady": random.normal(size=rows), "wandering": random.normal(size=rows) + np.sin(time / 600)}
    )
    columns = [Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in frame.columns]

    steady, wandering = (feature.tolerance for feature in build_profile(frame, columns, time=time).features)
    short = build_profile(frame.head(3_999), columns, time=time.head(3_999))

    assert steady == 0.02
    assert 0.3 < wandering < 2.0
    assert [feature.tolerance for feature in short.features] == [0.02, 0.02]
    assert build_profile(frame, columns, time=time, minimum_tolerance=0.1).features[0].tolerance == 0.1


def test_scores_are_profiled_beside_features() -> None:
    """The model's score is one more number."""
    frame = pl.DataFrame({"x": [1.0, 2.0]})
    profile = build_profile(frame, infer_schema(frame).columns, extra={"score": np.array([0.1, 0.9])})

    assert [feature.name for feature in profile.features] == ["x", "score"]
    assert (profile.features[1].low, profile.features[1].high) == (0.1, 0.9)


def test_a_profile_of_real_rows_survives_json_and_counts_its_own_rows(data_folder: Path) -> None:
    """On the churn data every feature's counts are those of counting the training rows again."""
    frame = read_table(data_folder / "telco_churn.parquet")
    columns = [column for column in infer_schema(frame).columns if column.kind is not ColumnKind.IDENTIFIER]
    profile = build_profile(frame, columns)

    assert ReferenceProfile.from_dict(profile.to_dict()) == profile
    for feature in profile.features:
        assert tuple(count_bins(feature, frame[feature.name]).tolist()) == feature.counts
    missing = {feature.name: feature.counts[-3] for feature in profile.features if feature.counts[-3]}
    assert missing == {"TotalCharges": 11}


def test_free_text_is_watched_by_its_length() -> None:
    """Other words of the usual length fall into the usual bins; longer texts than ever are new."""
    texts = pl.Series("note", ["x" * length for length in range(1, 101)])
    feature = profile_of(texts, ColumnKind.TEXT)

    assert (feature.low, feature.high, feature.categories) == (1.0, 100.0, ())
    assert feature.counts == (10,) * 10 + (0, 0, 0)
    assert count_bins(feature, pl.Series("note", ["y" * 5] * 7)).tolist()[0] == 7
    assert counted(feature, pl.Series("note", ["y" * 500, None])) == {"NULL": 1, "NEW": 1}


@given(
    values=st.lists(
        st.one_of(
            st.none(), st.sampled_from([0.0, 1.0, 2.5, 7.0, float("nan"), float("inf"), -float("inf")]), st.floats()
        )
    ),
    spiked=st.booleans(),
)
def test_numbers_are_counted_as_they_are_placed(values: list[float | None], spiked: bool) -> None:
    """Counting how many lie above each edge gives what counting every number's bin gives, missing and endless ones too."""
    spread = [step / 4 for step in range(40)]
    feature = profile_of(pl.Series("x", [*spread, *([1.0] * 10 if spiked else [])]), ColumnKind.NUMERIC)
    column = pl.Series("x", values, dtype=pl.Float64)

    assert feature.spike == (1.0 if spiked else None)
    assert (
        count_bins(feature, column).tolist()
        == np.bincount(bin_places(feature, column), minlength=feature.bins).tolist()
    )
