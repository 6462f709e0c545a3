"""Searches: each finds what was planted, asks the same again, and keeps to its ground."""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.training.families.family import Dimension
from modelyard.training.planning.searching import Rung, plan_rungs
from modelyard.training.search.strategies import Ground, Strategy, Suggestion
from modelyard.training.search.strategies.bayesian import BayesianSearch
from modelyard.training.search.strategies.grid import GridSearch
from modelyard.training.search.strategies.halving import HalvingSearch
from modelyard.training.search.strategies.random_search import RandomSearch

SPACE = {
    "rate": Dimension(0.001, 1.0, log=True),
    "leaves": Dimension(2, 64, whole=True),
    "kind": Dimension(choices=("plain", "wide", 7)),
}
FIXED = {"rate": 0.5, "leaves": 31, "kind": "plain", "other": True}
RUNGS = (Rung(27, 1 / 9), Rung(9, 1 / 3), Rung(3, 1.0))


def ground(space: Mapping[str, Dimension] = SPACE, *, greater: bool = True, seed: int = 3) -> Ground:
    """Three dimensions and a fixed parameter."""
    return Ground(space, FIXED, greater, seed)


def error(params: Mapping[str, Any]) -> float:
    """How far a configuration is from the planted optimum: a rate of 0.03, 20 leaves, wide."""
    apart = abs(math.log10(params["rate"]) - math.log10(0.03)) + abs(params["leaves"] - 20) / 60
    return float(apart + (params["kind"] != "wide"))


def signed(sign: float) -> Callable[[Suggestion], float]:
    """The error, or what is greater the smaller it is."""
    return lambda item: sign * error(item.params)


def carried_out(search: Strategy, score: Callable[[Suggestion], float], batch: int = 4) -> list[Suggestion]:
    """Ask and tell until the search ends."""
    asked: list[Suggestion] = []
    while suggested := search.suggest(batch):
        asked += suggested
        search.tell([score(item) for item in suggested])
    return asked


SEARCHES: dict[str, Callable[[Ground], Strategy]] = {
    "bayesian": lambda where: BayesianSearch(where, 40),
    "random": lambda where: RandomSearch(where, 40),
    "halving": lambda where: HalvingSearch(where, RUNGS),
}


@pytest.mark.parametrize("name", list(SEARCHES))
def test_a_planted_optimum_is_found(name: str) -> None:
    """Forty configurations come near it, whichever way better is; equal seeds ask equal questions."""
    for greater in (True, False):
        sign = -1 if greater else 1
        asked = [carried_out(SEARCHES[name](ground(greater=greater)), signed(sign)) for _ in range(2)]
        whole = [item for item in asked[0] if item.share == 1.0]

        assert asked[0] == asked[1]
        assert len(asked[0]) == SEARCHES[name](ground()).planned
        assert min(error(item.params) for item in whole) < 0.6
        assert all(item.params["other"] is True for item in asked[0])


def test_bayesian_search_learns_from_what_is_known_and_tries_proven_points_first() -> None:
    """A proven point within the space leads; one outside it is left out; choices come back as they were."""
    proven = ({"rate": 0.02, "leaves": 8, "kind": 7}, {"rate": 5.0, "leaves": 8, "kind": 7})
    search = BayesianSearch(Ground(SPACE, FIXED, True, 0, proven), 3)
    first, *others = search.suggest(3)

    assert first.params == {**FIXED, **proven[0]}
    assert all(item.params["rate"] <= 1.0 for item in others)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_random_points_are_within_bounds_and_different(seed: int) -> None:
    """Every dimension holds what is drawn from it, and no point comes twice."""
    points = [item.params for item in RandomSearch(ground(seed=seed), 30).suggest(30)]

    assert all(dimension.holds(point[name]) for point in points for name, dimension in SPACE.items())
    assert all(isinstance(point["leaves"], int) for point in points)
    assert len({str(point) for point in points}) == 30


def test_random_draws_follow_their_scale() -> None:
    """Of a logarithmic range half lies below the middle of the logarithms; whole numbers reach both ends."""
    generator = np.random.default_rng(0)
    rates = [Dimension(1e-4, 1.0, log=True).draw(generator) for _ in range(2_000)]
    whole = [Dimension(1, 3, whole=True, log=True).draw(generator) for _ in range(2_000)]

    assert np.mean(np.array(rates) < 1e-2) == pytest.approx(0.5, abs=0.04)
    assert set(whole) == {1, 2, 3}
    assert whole.count(1) > whole.count(3) > 200


def test_a_small_space_is_searched_whole_at_random() -> None:
    """Two times three points: no more are suggested, and none twice."""
    small = {"a": Dimension(choices=(1, True)), "b": Dimension(1, 3, whole=True)}
    points = [(type(item.params["a"]), item.params["b"]) for item in RandomSearch(ground(small), 50).suggest(50)]

    assert sorted(points, key=str) == sorted(((kind, b) for kind in (int, bool) for b in (1, 2, 3)), key=str)


def test_a_grid_covers_exactly() -> None:
    """Every combination once, in order; with the rest of the configuration beside it."""
    search = GridSearch(
        ground({"leaves": Dimension(choices=(7, 15, 31)), "kind": Dimension(choices=("plain", "wide"))})
    )
    asked = carried_out(search, lambda item: 0.0, batch=4)

    assert [(item.params["leaves"], item.params["kind"]) for item in asked] == [
        (leaves, kind) for leaves in (7, 15, 31) for kind in ("plain", "wide")
    ]
    assert {item.params["rate"] for item in asked} == {0.5}
    assert search.planned == 6


def test_the_ladder_has_as_much_work_as_the_rounds() -> None:
    """A third of the configurations on three times the rows; fewer rungs where rows or a class are few."""
    ladders = {
        rows: [(rung.configurations, round(rung.share * 27)) for rung in plan_rungs(8, rows, rare)]
        for rows, rare in ((100_000, 50_000), (10_000, 5_000), (2_000, 900), (500, 250), (20_000, 40))
    }

    assert ladders == {
        100_000: [(54, 1), (18, 3), (6, 9), (2, 27)],
        10_000: [(24, 3), (8, 9), (2, 27)],
        2_000: [(12, 9), (4, 27)],
        500: [(8, 27)],
        20_000: [(12, 9), (4, 27)],
    }
    for rounds in (1, 2, 5, 8, 30):
        for rows in (100_000, 10_000, 2_000):
            rungs = plan_rungs(rounds, rows, rows)
            assert sum(rung.configurations * rung.share for rung in rungs) <= rounds + 1
            assert rungs[-1].share == 1.0
    assert plan_rungs(0, 10_000, 10_000) == ()


def test_only_the_best_of_a_rung_climb() -> None:
    """27, 9 and 3 configurations, each rung's the best of the one before, numbered as they were drawn."""
    asked = carried_out(HalvingSearch(ground(), RUNGS), lambda item: -error(item.params), batch=4)
    rungs = [[item for item in asked if item.rung == rung] for rung in (1, 2, 3)]

    assert [len(rung) for rung in rungs] == [27, 9, 3]
    assert [item.share for item in asked] == [1 / 9] * 27 + [1 / 3] * 9 + [1.0] * 3
    for below, above in itertools.pairwise(rungs):
        best = sorted(below, key=lambda item: error(item.params))[: len(above)]
        assert [item.number for item in above] == sorted(item.number for item in best)
    # The order of configurations is the same on every rung here, so the best of all is among the survivors.
    assert min(rungs[0], key=lambda item: error(item.params)).number in [item.number for item in rungs[2]]


def test_what_fails_falls_off_and_ties_go_to_the_first() -> None:
    """Of nine equals, one of which failed, the first three others climb; if all fail, the search ends."""
    rungs = (Rung(9, 1 / 3), Rung(3, 1.0))
    search = HalvingSearch(ground(), rungs)
    first = search.suggest(9)
    search.tell([None, *[0.5] * 8])

    assert [item.number for item in first] == list(range(1, 10))
    assert [item.number for item in search.suggest(9)] == [2, 3, 4]

    hopeless = HalvingSearch(ground(), rungs)
    hopeless.suggest(9)
    hopeless.tell([None] * 9)
    assert hopeless.suggest(9) == []
