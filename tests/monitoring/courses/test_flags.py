"""How many rows are flagged: quiet while the share is as expected, sure when it is not."""

import numpy as np
import pytest

from modelyard.core import Severity
from modelyard.monitoring.courses.flags import flagged_finding, flagged_window
from modelyard.monitoring.courses.records import ExpectedFlags, FlaggedWindow

EXPECTED = ExpectedFlags(0.02, 5_000)


def judged(flagged: int, rows: int = 1_000, name: str = "w", expected: ExpectedFlags = EXPECTED) -> FlaggedWindow:
    """A window at the usual rate."""
    return flagged_window(name, rows, flagged, expected, rate=0.01)


@pytest.mark.parametrize(("flagged", "level"), [(20, 0), (30, 0), (45, 0), (60, 1), (90, 2), (150, 3), (4, 0)])
def test_only_another_share_alarms(flagged: int, level: int) -> None:
    """Half as many again is harmless; what is certainly beyond is not, and fewer is no better than more."""
    assert judged(flagged).level == level
    assert judged(20, 5_000).level == 2
    assert judged(0, 5_000).level == 3


def test_the_interval_is_walters() -> None:
    """The ratio and its ends, worked out by hand for 60 of 1,000 against 2 % of 5,000."""
    window = judged(60)
    error = np.sqrt(1 / 60.5 - 1 / 1000.5 + 1 / 100.5 - 1 / 5000.5)

    assert window.times == pytest.approx((60.5 / 1000.5) / (100.5 / 5000.5))
    assert window.times_low == pytest.approx(window.times * np.exp(-2.5758293 * error))
    assert window.times_high == pytest.approx(window.times * np.exp(2.5758293 * error))
    assert (window.low, window.high) == pytest.approx((0.04689, 0.07648), abs=1e-4)


def test_few_training_rows_make_the_expected_share_uncertain() -> None:
    """Five rows in 250 set the threshold: three times as many may be what was there all along."""
    assert judged(60, expected=ExpectedFlags(0.02, 250)).level == 0
    assert judged(60, expected=ExpectedFlags(0.02, 20_000)).level > 0


def test_clean_windows_alarm_no_more_often_than_stated() -> None:
    """Thresholds set anew by lot, windows of 300 rows: at most the stated rate, though the true share varies."""
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(2_000):
        true = generator.beta(20, 981)  # the share beyond the 20th largest of 1,000 scores
        flagged = int(generator.binomial(300, true))
        alarms += judged(flagged, 300, expected=ExpectedFlags(0.02, 1_000)).level > 0

    assert alarms <= 0.01 * 2_000


def test_one_odd_window_calls_nobody() -> None:
    """A warning for one strong window, an error for two of the last three, nothing for none."""
    quiet, loud = judged(21, name="a"), judged(95, name="b")
    once, twice = flagged_finding([quiet, quiet, loud]), flagged_finding([loud, quiet, loud])

    assert flagged_finding([quiet, quiet]) is None
    assert once is not None
    assert once.severity is Severity.WARNING
    assert twice is not None
    assert twice.severity is Severity.ERROR
    assert twice.message.startswith("9.50\u202f% of the rows of b are called anomalies (")
    assert "2\u202f% were expected; so in 2 of 3 windows" in twice.message


def test_too_few_flags_are_said_otherwise() -> None:
    """Nothing is flagged: the sentence speaks of rows that pass as usual."""
    found = flagged_finding([judged(0, 5_000), judged(0, 5_000)])

    assert found is not None
    assert found.why.startswith("Strange rows may pass as usual")
