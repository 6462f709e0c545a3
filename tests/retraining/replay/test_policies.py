import datetime as dt
from pathlib import Path

import pytest

from modelyard.core import ConfigError
from modelyard.problem import Problem
from modelyard.retraining.replay import BUILT_IN, Gain, Policy, PolicyResult
from modelyard.retraining.replay.asking import Moment, asked
from modelyard.retraining.replay.policies import policies_of
from modelyard.retraining.replay.recommending import recommended
from modelyard.retraining.windows import WindowKind, WindowPolicy

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 3, 1)  # noqa: DTZ001 - a history has no zone


def problem(window: object = "auto") -> Problem:
    """A question with a window."""
    return Problem.model_validate(
        {"name": "shop", "data": {"source": "s.csv", "target": "y"}, "retraining": {"window": window}}
    )


def test_a_file_says_a_policy(tmp_path: Path) -> None:
    """In the words of the project file; its name is the file's, its window the project's."""
    path = tmp_path / "careful.yaml"
    path.write_text("schedule: 30d\nperformance: 0.1\ndrift: true\nnew_labels: 500\ncooldown: 14d\n")
    never, careful = policies_of((str(path),), problem({"sliding": "90d"}))

    assert never.name == "never"
    assert careful == Policy("careful", "30d", 0.1, True, 500, "14d", WindowPolicy(WindowKind.SLIDING, 90 * 86_400.0))
    assert careful.words == (
        "every 30 days, or when the metric lost 10%, or when retraining cures the cause of a drift, or after 500 new labels; "
        "not within 14 days of the last; the last 90 days"
    )


def test_auto_tests_windows_only_where_the_policy_says_so(tmp_path: Path) -> None:
    """Forty fits at each retraining are not what a replay does unasked."""
    path = tmp_path / "p.yaml"
    path.write_text("schedule: 30d\nwindow: auto\n")
    _, monthly, mine = policies_of(("monthly", str(path)), problem())

    assert monthly.window == WindowPolicy()
    assert mine.window is None


@pytest.mark.parametrize(
    ("text", "said"), [("schedule: often\n", "schedule"), ("metric: 1\n", "metric"), ("{", "cannot be read")]
)
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With the key at fault."""
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        policies_of((str(path),), problem())


def test_two_of_one_name_are_refused() -> None:
    """Their accounts could not be told apart."""
    with pytest.raises(ConfigError, match="two policies have one name"):
        policies_of(("monthly", "monthly"), problem())


def test_the_clock_pulls_and_the_cooldown_holds() -> None:
    """After thirty days, not before; and whatever was pulled, not within the cooldown."""
    monthly = BUILT_IN["monthly"]
    patient = Policy("patient", new_labels=100, cooldown="7d")

    assert asked(monthly, Moment(NOW, 900, NOW - 29 * DAY, None, 500), None).pulled == ()
    assert asked(monthly, Moment(NOW, 900, NOW - 30 * DAY, None, 500), None).is_due
    assert asked(monthly, Moment(NOW, 500, NOW - 30 * DAY, NOW - 30 * DAY, 500), None).held == (
        "No label has come since the last decision."
    )
    assert not asked(patient, Moment(NOW, 900, NOW - 3 * DAY, NOW - 3 * DAY, 500), None).is_due
    assert asked(patient, Moment(NOW, 900, NOW - 7 * DAY, NOW - 7 * DAY, 500), None).is_due


def result(name: str, gain: Gain | None, retrainings: int) -> PolicyResult:
    """An account."""
    policy = BUILT_IN[name]
    return PolicyResult(policy, 0.8, 0.7, 0.9, gain, None, None, retrainings, retrainings, 0, 0.0, ())


def test_the_policy_with_the_fewest_retrainings_among_the_best_is_recommended() -> None:
    """The best is not better beyond chance, so the one that retrains less is taken; where nothing pays, never."""
    never = result("never", None, 0)
    weekly, default = result("weekly", Gain(0.012, 0.004, 0.02), 40), result("default", Gain(0.01, 0.003, 0.017), 4)
    unsure = result("monthly", Gain(0.01, -0.01, 0.03), 9)

    def gain(before: str, after: str) -> Gain:
        assert (before, after) == ("default", "weekly")
        return Gain(0.002, -0.001, 0.005)

    name, said = recommended((never, weekly, default), "roc_auc", gain)
    assert name == "default"
    assert said == (
        "Policy default: +0.0100 ROC AUC (95% interval +0.0030 to +0.0170) over never with 4 retrainings; weekly has +0.0120 "
        "with 40, no more beyond chance."
    )
    name, said = recommended((never, unsure), "roc_auc", gain)
    assert name == "never"
    assert "no policy gains ROC AUC beyond chance; the best, monthly, has +0.0100" in said
