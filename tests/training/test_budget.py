"""Training against the clock: something valid at any moment, what was not done is said, and a replay repeats it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Trial

from modelyard.core import StateError
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training import CandidateStatus, InProcessExecutor, LocalPoolExecutor, TrainingRun
from modelyard.training.engine import train
from modelyard.training.executor import NO_LIMIT, Limit
from modelyard.training.families.family import Family
from modelyard.training.planning import Clock

MakeSplit = Callable[..., tuple[Split, Problem]]
MakeTrial = Callable[..., Trial]
Families = Mapping[str, Family]
UNTUNED = {"folds": 3, "tuning_rounds": 0, "workers": 1, "unit_minutes": None}
PLAN = {"folds": 3, "workers": 1, "unit_minutes": None, "budget": "60s"}


def figures(run: TrainingRun) -> dict[str, Any]:
    """What a replay must repeat: the scores of all candidates that were finished."""
    return {
        item.name: (item.fold_scores, dict(item.params), dict(item.members)) for item in run.candidates if item.mean
    }


def test_with_a_budget_the_portfolio_is_tried_and_the_best_wins(trial: MakeTrial) -> None:
    """The plan is in the record; without a blend the winner is the best by its mean, not the simplest near it."""
    made = trial("churn", data={"positive": "yes"}, training={**PLAN, "blend": False})
    run = made.train()
    record = run.record
    tried = [item.name for item in record.candidates if item.role == "candidate"]
    best = max((item for item in record.candidates if item.mean), key=lambda item: item.mean or 0)

    assert record.work is not None
    assert [item.name for item in record.work.candidates][:2] == ["linear", "lightgbm"]
    assert record.work.budget_s == 60
    assert set(tried) >= {item.name for item in record.work.candidates}
    assert record.winner.removesuffix("-calibrated") == best.name
    assert record.truncated == ""
    assert not record.interrupted


def test_when_time_is_up_the_rest_is_left_out_and_a_replay_repeats_it(
    trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stops after three candidates; the replay, with other workers and no clock, gives the same to the last bit."""
    made = trial("churn", data={"positive": "yes"}, training=PLAN)
    asked: list[str] = []

    def twice(clock: Clock, family: str, seconds: float, refit_seconds: float) -> bool:
        asked.append(family)
        return len(asked) <= 2

    with monkeypatch.context() as patch:
        patch.setattr(Clock, "affords", twice)
        first = made.train()
    pool = LocalPoolExecutor(2)
    again = made.repeat(first.record, pool)
    pool.close()
    left = [item.name for item in first.record.candidates if item.status is CandidateStatus.LEFT_OUT]

    assert left
    assert first.record.truncated.startswith("The budget of 60 s ended the search after")
    assert all(name in first.record.truncated for name in left)
    assert figures(again.record) == figures(first.record)
    assert again.record.winner == first.record.winner
    rows = made.split.validation.frame
    np.testing.assert_array_equal(again.model("final").predict(rows), first.model("final").predict(rows))


def test_a_winner_of_fewer_rows_is_said_and_repeated(trial: MakeTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates are compared on a part of the rows, and time is left for half of them; a replay takes that half."""
    made = trial("churn", data={"positive": "yes"}, training=PLAN)
    rows = made.split.train.frame.height
    with monkeypatch.context() as patch:
        patch.setattr("modelyard.training.preparation.race_rows", lambda *_, **__: rows // 4)
        patch.setattr(Clock, "refit_share", lambda *_: 0.5049)
        first = made.train()
        again = made.repeat(first.record)
        patch.setattr(Clock, "refit_share", lambda *_: 0.0)
        hurried = made.train()
    answers = made.split.validation.frame

    assert first.record.fitted_share == again.record.fitted_share == 0.5
    assert "The winner was fitted on 50% of the rows" in first.record.truncated
    assert hurried.record.fitted_share == 0.25  # never on fewer than candidates are compared on
    np.testing.assert_array_equal(again.model("final").predict(answers), first.model("final").predict(answers))


@pytest.mark.parametrize(("part", "expected"), [(1, [8, 24, 24]), (2, [4, 16, 16])])
def test_until_more_than_a_simple_model_is_known_less_is_set_aside(
    part: int, expected: list[int], trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight seconds a model. On half the rows: half of the linear one's, then LightGBM by itself, then all of both."""
    made = trial("churn", data={"positive": "yes"}, training=PLAN)
    rows = made.split.train.frame.height
    seen: list[float] = []

    def reserve_for(clock: Clock, refit_seconds: float, *_: float) -> None:
        seen.append(refit_seconds)

    def once(clock: Clock, family: str, *_: float) -> bool:
        return family == "lightgbm" and len(seen) == 1

    monkeypatch.setattr("modelyard.training.preparation.race_rows", lambda *_, **__: rows // part)
    monkeypatch.setattr("modelyard.training.search.reserve.refit_cost", lambda *_: 8.0)
    monkeypatch.setattr(Clock, "reserve_for", reserve_for)
    monkeypatch.setattr(Clock, "affords", once)
    made.train()

    assert seen == pytest.approx(expected, rel=0.02)


def test_no_time_at_all_still_gives_baselines_and_the_linear_model(trial: MakeTrial) -> None:
    """A budget of nothing: the first candidate is carried to its end."""
    made = trial("amount", training={**PLAN, "budget": "0s"})
    run = made.train()

    assert [item.name for item in run.record.candidates if item.mean is not None] == ["naive", "linear"]
    assert run.record.winner == "linear"
    assert run.record.work is not None
    assert [item.name for item in run.record.work.candidates] == ["linear"]


def test_the_plan_lies_on_disk_before_anything_is_trained(trial: MakeTrial) -> None:
    """The first unit finds it; the record holds the same."""
    made = trial("amount", training=UNTUNED)
    seen: list[dict[str, Any]] = []

    class Looking(InProcessExecutor):
        def submit(self, unit: Any, limit: Limit = NO_LIMIT) -> None:
            if not seen:
                (found,) = made.workspace.folder("runs").glob(".search-*/plan.json")
                seen.append(json.loads(found.read_text()))
            super().submit(unit, limit)

    run = made.train(Looking())

    assert run.record.work is not None
    assert seen == [run.record.work.to_dict()]
    assert [item["name"] for item in seen[0]["candidates"]] == list(made.families)


def test_a_run_without_a_plan_cannot_be_repeated(trial: MakeTrial) -> None:
    """A run of an earlier version says so."""
    import dataclasses

    made = trial("amount", training=UNTUNED)
    run = made.train()
    old = dataclasses.replace(run.record, work=None)

    with pytest.raises(StateError, match="it has no plan"):
        made.repeat(old)


def test_a_blend_that_wins_is_one_model(workspace: Workspace, split_of: MakeSplit, quick_families: Families) -> None:
    """Half the signal is straight, half is not: linear and trees together are better than either."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(900, 6))
    amount = (
        2 * values[:, 0] + values[:, 1] + 3 * (values[:, 2] > 0) * (values[:, 3] > 0) + generator.normal(0, 0.5, 900)
    )
    frame = pl.DataFrame({f"x{place}": values[:, place] for place in range(6)}).with_columns(amount=pl.Series(amount))
    split, problem = split_of(frame, "amount", training=UNTUNED)
    run = train(split, problem, workspace, families=quick_families)
    winner = run.record.candidate(run.record.winner)
    model, rows = run.model("development"), split.validation.frame
    error = float(np.sqrt(np.mean((model.predict(rows) - rows["amount"].to_numpy()) ** 2)))

    assert run.record.winner == "blend"
    assert sum(winner.members.values()) == pytest.approx(1)
    assert len(winner.members) > 1
    assert [member.name for member in model.estimator.members] == list(winner.members)
    assert error == pytest.approx(winner.mean, rel=0.25)
