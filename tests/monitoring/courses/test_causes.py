"""What is said of the cause without a target: only a broken pipeline by name."""

import datetime as dt

import numpy as np
import pytest

from modelyard.monitoring.causes import Action, Cause
from modelyard.monitoring.causes.case import Case, LabelledRows
from modelyard.monitoring.causes.diagnose import diagnose
from modelyard.monitoring.courses.flags import flagged_window
from modelyard.monitoring.courses.records import ExpectedFlags
from modelyard.monitoring.performance import PerformanceWindow
from modelyard.problem import Task

AT = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
NONE = LabelledRows(np.empty(0), np.empty(0), np.empty((0, 0)))


def case(low: float | None, *, tolerated: float = 0.65, can_be_labelled: bool = True) -> Case:
    """A window that flags five times as many rows as expected; the package had 1.0, of four anomalies."""
    labelled = None
    if low is not None:
        alarm = low + 0.1 < tolerated
        labelled = PerformanceWindow("w", AT, AT, 900, low + 0.05, low, low + 0.1, 1.0, tolerated, alarm=alarm)
    return Case(
        task=Task.ANOMALY,
        metric="pr_auc",
        seed=1,
        recent=NONE,
        earlier=NONE,
        performance=labelled,
        can_be_labelled=can_be_labelled,
        drop=0.05,
        flagged=flagged_window("w", 1_000, 100, ExpectedFlags(0.02, 5_000), rate=0.01),
    )


@pytest.mark.parametrize(
    ("low", "cause", "action"),
    [
        (0.96, Cause.HARMLESS, Action.IGNORE),
        (0.70, Cause.UNKNOWN, Action.WAIT_FOR_LABELS),
        (0.20, Cause.UNEXPLAINED, Action.LOOK),
        (None, Cause.UNKNOWN, Action.WAIT_FOR_LABELS),
    ],
)
def test_harmless_is_proved_not_granted(low: float | None, cause: Cause, action: Action) -> None:
    """What is tolerated only because the package's figure is of four anomalies proves nothing; no verdict has a confidence."""
    found = diagnose(case(low))

    assert (found.verdict, found.action, found.confidence) == (cause, action, None)


def test_nobody_is_asked_for_labels_that_show_nothing() -> None:
    """Without a figure in the package labels would show no loss: people look at the rows instead."""
    assert diagnose(case(None, can_be_labelled=False)).action is Action.LOOK
