"""The plan is the same for equal input; the clock lets through what will end in time."""

import itertools

import pytest

from modelyard.problem import Task
from modelyard.training.families.registry import FAMILIES
from modelyard.training.planning import Clock, Size, WorkPlan, counted_from, make_plan
from modelyard.training.planning import clock as clock_module
from modelyard.training.planning.portfolio import entries


class Hand:
    """A clock's hand that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """The present."""
        return self.now


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Time that stands still unless the test moves it."""
    hand = Hand()
    monkeypatch.setattr(clock_module, "time", hand)
    return hand


def plan_for(rows: int, budget: float | None, *, task: Task = Task.BINARY, workers: int = 2) -> WorkPlan:
    """The plan of all families for a table of 20 columns."""
    size = Size(rows, 20, of_values=task is Task.REGRESSION)
    return make_plan(FAMILIES, task, size, 5, tuning_rounds=8, budget_s=budget, workers=workers)


def test_without_a_budget_each_family_comes_once() -> None:
    """Defaults, simple first, and the rounds that the project file wants."""
    plan = plan_for(5_000, None)

    assert [item.name for item in plan.candidates] == list(FAMILIES)
    assert (plan.tuning_rounds, plan.budget_s) == (8, None)


def test_a_budget_brings_the_portfolio_cheap_and_different_first() -> None:
    """Names are unique, simple models lead, and the plan reaches somewhat beyond the budget."""
    plan = plan_for(5_000, 20)
    names = [item.name for item in plan.candidates]
    seconds = sum(item.seconds for item in plan.candidates) / 2

    assert names[:3] == ["linear", "shallow_tree", "lightgbm"]
    assert len(set(names)) == len(names)
    assert 20 < seconds < 40
    assert plan == plan_for(5_000, 20)
    assert plan.digest == plan_for(5_000, 20).digest


@pytest.mark.parametrize(("rows", "most"), [(200, 4), (700, 8), (1_900, 15), (7_900, 30)])
def test_few_rows_allow_few_candidates(rows: int, most: int) -> None:
    """Else the best would be picked by luck; the second simple model is not counted."""
    plan = plan_for(rows, 3_600)

    assert len(plan.candidates) + plan.tuning_rounds == most + 1


def test_more_time_lengthens_the_plan_and_keeps_the_order_of_a_family() -> None:
    """What a family tries comes in the same order in both."""
    short, long = plan_for(30_000, 60), plan_for(30_000, 6_000)

    assert len(short.candidates) < len(long.candidates)
    for plan in (short, long):
        names = [item.name for item in plan.candidates if item.family == "lightgbm"]
        assert names == ["lightgbm", *(f"lightgbm-{place}" for place in range(2, len(names) + 1))]


def test_a_family_that_costs_little_comes_before_second_configurations() -> None:
    """Kernels are cheap on few rows; on more they keep their place, for which there may be no time."""
    few, many = ([item.name for item in plan_for(rows, 60).candidates] for rows in (1_200, 6_000))

    assert few[0] == many[0] == "linear"
    assert few.index("svm") < few.index("lightgbm-2")
    assert many.index("svm") > many.index("lightgbm-2")


def test_what_is_dear_waits() -> None:
    """What would take a large share of the budget comes after all that is cheaper; with more time it has its old place."""
    short, long = (plan_for(30_000, seconds, task=Task.REGRESSION) for seconds in (60, 6_000))
    is_dear = [item.seconds > 18 for item in short.candidates[1:]]
    names = [item.name for item in long.candidates]

    assert any(is_dear)
    assert is_dear == sorted(is_dear)
    assert names.index("extra_trees") < names.index("lightgbm-3")


def test_for_classes_what_is_no_boosting_is_dear_sooner() -> None:
    """Of two of about equal cost the booster keeps its place, and the network waits; not where it costs little of the budget."""
    short, long = plan_for(12_000, 60), plan_for(12_000, 600)
    seconds = {item.name: item.seconds for item in short.candidates}
    order, later = [[item.name for item in plan.candidates] for plan in (short, long)]

    assert 6 < seconds["realmlp"] < 18
    assert order.index("realmlp") > order.index("lightgbm-8")
    assert later.index("realmlp") < later.index("lightgbm-2")


def test_families_that_the_portfolio_does_not_know_come_too() -> None:
    """An estimator of one's own is tried, after the portfolio."""
    names = [name for name, _, _ in entries(FAMILIES, Task.REGRESSION)]

    assert names[-2:] == ["decision_tree", "nearest_neighbours"]


def test_a_replay_has_no_clock_and_only_what_was_finished() -> None:
    """The plan is stored and read back as it is."""
    plan = plan_for(5_000, 60).replayed([["linear"], ["lightgbm", "svm"]])

    assert plan.budget_s is None
    assert plan.allows("linear")
    assert not plan.allows("xgboost")
    assert WorkPlan.from_dict(plan.to_dict()) == plan


def test_the_clock_keeps_time_for_the_winner(hand: Hand) -> None:
    """A tenth at first, later what fitting the leaders twice will take, and a twentieth for storing the run."""
    clock = Clock(100, workers=2)
    assert clock.left_s == pytest.approx(90)
    clock.reserve_for(refit_seconds=20)

    assert clock.left_s == pytest.approx(100 - 5 - 2.6 * 20 / 2)
    hand.now += 100 - 31
    assert clock.is_over


def test_the_clock_keeps_some_time_for_further_fits(hand: Hand) -> None:
    """Whole fits only, four at most, and together at most 0.15 of the budget."""
    clock = Clock(100, workers=2)
    kept = 100 - 5 - 2.6 * 20 / 2
    for further_s, times in ((2.0, 4), (3.0, 3), (11.0, 1), (12.0, 0)):
        clock.reserve_for(refit_seconds=20, further_seconds=further_s)

        assert clock.left_s == pytest.approx(kept - times * 2.6 * further_s / 2)


def test_the_winner_is_fitted_as_often_as_time_allows(hand: Hand) -> None:
    """Once takes 13 of 95 seconds, every further time 10.4; five times at most, once at least, and once without a budget."""
    clock = Clock(100, workers=2)
    assert clock.fits(10, 0, 8) == 5
    hand.now += 95 - 13 - 2 * 10.4 - 0.1
    assert clock.fits(10, 0, 8) == 3
    assert clock.fits(10, 4, 8) == 2  # encoding is done once
    assert clock.fits(10, 0, 0) == 1
    hand.now += 100
    assert clock.fits(10, 0, 8) == 1
    assert Clock(None).fits(10, 0, 8) == 1


def test_the_clock_counts_what_was_done_before(hand: Hand) -> None:
    """Within ``counted_from`` a clock begins at that moment; after it, clocks begin when they are made."""
    before = hand.now
    hand.now += 8
    with counted_from(before):
        assert Clock(100).spent_s == 8
    assert Clock(100).spent_s == 0


def test_the_clock_learns_how_fast_this_machine_is(hand: Hand) -> None:
    """A family is judged by its own past, another one by everything so far; a cold start of a moment says little."""
    clock = Clock(1_000, workers=1)
    assert clock.affords("linear", 900)
    clock.note("linear", predicted=0.1, spent=3)
    assert clock.affords("forest", 500)
    clock.note("forest", predicted=100, spent=300)

    assert clock.affords("forest", 300)
    assert not clock.affords("forest", 310)
    clock.note("boosting", predicted=100, spent=20)
    assert clock.affords("boosting", 3_000)
    assert not clock.affords("forest", 310)


def test_that_a_family_was_quick_says_nothing_of_another(hand: Hand) -> None:
    """What was quicker than predicted is no promise; what was slower may be the machine."""
    clock = Clock(1_000, workers=1)
    clock.note("linear", predicted=100, spent=10)

    assert clock.affords("linear", 2_000)
    assert clock.affords("forest", 900)
    assert not clock.affords("forest", 901)


def test_the_winner_is_fitted_on_as_many_rows_as_time_allows(hand: Hand) -> None:
    """Twenty seconds of work, twice and with validation rows, in what 95 of 100 seconds have left."""
    clock = Clock(100, workers=2)
    assert clock.refit_share(30, 5) == 1.0
    hand.now += 95 - 26

    assert clock.refit_share(30, 5) == pytest.approx(26 / (2.6 * 20))
    assert clock.refit_share(0) == 1.0
    hand.now += 100
    assert clock.refit_share(30) == 0.0
    assert Clock(None).refit_share(1e9) == 1.0


def test_the_clock_keeps_time_for_encoding_and_choosing(hand: Hand) -> None:
    """Encoding is shared by no worker; no more than six tenths are ever set aside."""
    clock = Clock(100, workers=2)
    clock.reserve_for(refit_seconds=10, encoding_seconds=5, choice_seconds=3)
    assert clock.left_s == pytest.approx(100 - 5 - 3 - 2.6 * (5 + 10 / 2))
    clock.reserve_for(refit_seconds=1_000)

    assert clock.left_s == pytest.approx(40)


def test_what_could_not_be_fitted_on_all_rows_is_not_begun(hand: Hand) -> None:
    """A candidate whose folds are cheap, since they hold a part of the rows, and whose refit is not."""
    clock = Clock(100, workers=2)

    assert clock.affords("mlp", 20, refit_seconds=46)
    assert not clock.affords("mlp", 20, refit_seconds=47)


def test_without_a_budget_everything_is_affordable(hand: Hand) -> None:
    """However long it takes."""
    clock = Clock(None)
    clock.reserve_for(1e9)
    hand.now += 1e9

    assert clock.affords("forest", 1e12)
    assert not clock.is_over


def test_portfolio_points_differ() -> None:
    """No configuration is tried twice."""
    points = [(family, tuple(sorted(params.items()))) for _, family, params in entries(FAMILIES, Task.BINARY)]

    assert all(one != other for one, other in itertools.combinations(points, 2))
