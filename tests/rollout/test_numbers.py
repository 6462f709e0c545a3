"""The draw by key, and the interval that may be looked at after every row."""

import numpy as np
import pytest

from modelyard.rollout import always_valid_interval, share_of


def test_keys_fall_evenly_and_anew_for_each_rollout() -> None:
    """A tenth of the keys is below 0.1, and of these a tenth is there in another rollout, too; numbered keys and all."""
    keys = [f"customer-{number}" for number in range(20_000)]
    first = np.array([share_of("one", key) for key in keys])
    second = np.array([share_of("two", key) for key in keys])

    assert np.quantile(first, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    assert ((first < 0.1) & (second < 0.1)).mean() == pytest.approx(0.01, abs=0.003)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_looking_all_the_time_raises_no_false_alarm() -> None:
    """Two equal versions, looked at after every hundredth row: at 5 % no more than 5 % of 200 tests ever see a difference,
    while a test of fixed size sees one in far more.
    """
    generator = np.random.default_rng(7)
    always, fixed = 0, 0
    for _ in range(200):
        rows = (generator.random((2, 5_000)) < 0.7).astype(float)
        sums = rows.cumsum(axis=1)
        saw = [False, False]
        for count in range(100, 5_001, 100):
            mean, other = sums[0, count - 1] / count, sums[1, count - 1] / count
            spread, other_spread = mean * (1 - mean), other * (1 - other)
            interval = always_valid_interval(mean, spread, count, (other, other_spread, count), 0.05)
            saw[0] |= interval is not None and (interval.low > 0 or interval.high < 0)
            saw[1] |= abs(mean - other) > 1.96 * ((spread + other_spread) / count) ** 0.5
        always, fixed = always + saw[0], fixed + saw[1]

    assert always <= 10
    assert fixed > 40


def test_a_real_difference_is_found() -> None:
    """Ten points of accuracy are certain after some thousand rows of each."""
    interval = always_valid_interval(0.8, 0.16, 3_000, (0.7, 0.21, 3_000), 0.05)

    assert interval is not None
    assert 0 < interval.low < 0.1 < interval.high


def test_too_little_says_nothing() -> None:
    """One row of either is no interval, rows that are all alike give one without end, and two groups that are alike within
    themselves are different once there are enough of them.
    """
    assert always_valid_interval(1.0, 0.0, 1, (0.0, 0.0, 9), 0.05) is None
    few, many = (always_valid_interval(1.0, 0.0, count, (0.0, 0.0, count), 0.05) for count in (3, 30))
    assert few is not None
    assert many is not None
    assert few.low < 0 < many.low
    endless = always_valid_interval(1.0, 0.0, 9, (1.0, 0.0, 9), 0.05)
    assert endless is not None
    assert endless.low < 0 < endless.high
