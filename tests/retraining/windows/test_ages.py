import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError
from modelyard.retraining.windows import WindowKind, WindowPolicy
from modelyard.retraining.windows.ages import ages, kept, weights

DAYS = pl.Series("day", [dt.date(2026, 1, 1), dt.date(2026, 1, 11), None, dt.date(2026, 1, 10)])


def test_ages_in_days_count_from_the_last_row() -> None:
    """Whatever the order of the rows; one without a date is as old as the oldest."""
    age = ages(DAYS, WindowPolicy(WindowKind.SLIDING, span_s=86_400.0))

    assert (age / 86_400).tolist() == [10.0, 0.0, 10.0, 1.0]


def test_a_span_holds_what_is_younger() -> None:
    """Two days keep today and yesterday; half of the weight is lost in a half-life."""
    sliding = WindowPolicy(WindowKind.SLIDING, span_s=2 * 86_400.0)
    weighted = WindowPolicy(WindowKind.WEIGHTED, span_s=10 * 86_400.0)
    faded = weights(ages(DAYS, weighted), weighted)

    assert kept(ages(DAYS, sliding), sliding).tolist() == [False, True, False, True]
    assert faded is not None
    assert faded.round(3).tolist() == [0.5, 1.0, 0.5, 0.933]


def test_a_span_of_time_needs_dates() -> None:
    """A counter has no days; the cure is a number of rows."""
    with pytest.raises(ConfigError, match=r"needs a time column with dates.*sliding: 5000"):
        ages(pl.Series("order", [1, 2]), WindowPolicy(WindowKind.SLIDING, span_s=60.0))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(1, 60))
def test_a_sliding_window_keeps_the_latest_rows(times: list[int], length: int) -> None:
    """No row that is left out is later than one that is kept, and rows of one moment share their fate."""
    policy = WindowPolicy(WindowKind.SLIDING, rows=length)
    mask = kept(ages(pl.Series(times), policy), policy)
    inside, outside = np.array(times)[mask], np.array(times)[~mask]

    assert mask.any()
    assert outside.max(initial=-1) < inside.min()


def test_expanding_keeps_and_weighs_all_alike() -> None:
    """The simplest window changes nothing."""
    policy = WindowPolicy()
    age = ages(DAYS, policy)

    assert kept(age, policy).all()
    assert weights(age, policy) is None
