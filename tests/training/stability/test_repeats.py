"""Finalists scored on further divisions: fewer wrong choices, an honest noise of the choice, and nothing unless asked."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.core import ConfigError, ProgressEvent
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.choosing.divisions import Division, RepeatedEvidence
from modelyard.training.choosing.noise import Evidence
from modelyard.training.engine import train
from modelyard.training.families.family import Family
from modelyard.training.folds import RowKeys, plan_folds

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
Array = npt.NDArray[np.float64]
PLAN = {"folds": 3, "tuning_rounds": 0, "workers": 1, "families": ["linear", "lightgbm", "xgboost"]}


def least_squares(matrix: Array, truth: Array, columns: int, seed: int) -> tuple[Array, float]:
    """Out-of-fold predictions from the first columns on one division, and their mean squared error."""
    keys = RowKeys("random", np.zeros(len(truth), dtype=np.int64), np.empty(0, dtype=np.int64))
    predicted = np.empty(len(truth))
    for fold in plan_folds(keys, 5, seed).folds:
        learnt = np.linalg.lstsq(matrix[fold.train, :columns], truth[fold.train], rcond=None)[0]
        predicted[fold.held] = matrix[fold.held, :columns] @ learnt
    return predicted, float(np.square(truth - predicted).mean())


def test_the_mean_of_divisions_errs_less_often_than_one() -> None:
    """Six true columns against twelve with six of noise, forty rows: the larger model is taken by mistake less often."""
    generator = np.random.default_rng(0)
    wrong = np.zeros(2)
    for _ in range(150):
        matrix = generator.normal(size=(40, 12))
        truth = matrix[:, :6] @ np.full(6, 0.6) + generator.normal(size=40)
        errors = np.array([[least_squares(matrix, truth, width, seed)[1] for width in (6, 12)] for seed in range(8)])
        behind = errors[:, 1] - errors[:, 0]
        wrong += [behind[0] < 0, behind.mean() < 0]

    assert wrong[0] >= 8
    assert wrong[1] <= 0.75 * wrong[0]


def evidence_of(divisions: int, noise: float) -> tuple[Evidence, RepeatedEvidence]:
    """Two candidates on 600 rows, the second worse by a tenth and by luck that each division has for itself."""
    generator = np.random.default_rng(1)
    truth = generator.normal(size=600)
    keys = RowKeys("random", np.zeros(600, dtype=np.int64), np.empty(0, dtype=np.int64))
    common = generator.normal(size=600)
    made = []
    for seed in range(divisions):
        luck = noise * generator.normal()
        answers = {"good": truth + common, "bad": truth + common + np.sign(common) * (0.1 + luck), "naive": 0 * truth}
        made.append(Division(plan_folds(keys, 4, seed), answers.__getitem__))
    first = Evidence("mae", truth, made[0].plan, keys, made[0].predictions, seed=0)
    return first, RepeatedEvidence(first, "mae", truth, keys, made, seed=0)


def test_a_gain_is_the_mean_over_divisions() -> None:
    """Without luck of divisions it is a tenth, as one division says, and as sure: rows are the same in all of them."""
    first, together = evidence_of(4, 0.0)
    one, all_of_them = first.gain("good", "bad"), together.gain("good", "bad")

    assert all_of_them.mean == pytest.approx(0.1)
    assert all_of_them.mean == pytest.approx(one.mean)
    assert together.gain("good", "good").standard_error == 0.0
    assert together.beats("good", "naive", ["good"]) == first.beats("good", "naive", ["good"])


def test_the_luck_of_divisions_is_part_of_the_noise() -> None:
    """Differences that change from division to division by 0.05 leave an error of 0.05 / 2 on the mean of four at least."""
    _, together = evidence_of(4, 0.05)
    found = together.gain("good", "bad")
    luck = np.std([0.1 + 0.05 * value for value in luck_of(4)], ddof=1) / 2

    assert found.standard_error >= 0.99 * luck
    assert found.standard_error == pytest.approx(luck, rel=0.1)


def luck_of(divisions: int) -> list[float]:
    """What :func:`evidence_of` drew."""
    generator = np.random.default_rng(1)
    generator.normal(size=600)
    generator.normal(size=600)
    return [float(generator.normal()) for _ in range(divisions)]


def test_finalists_are_scored_again_and_all_scores_are_kept(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Three divisions for those within noise, blends with weights learnt anew; the leaderboard stays that of the first."""
    split, problem = split_of(table, "churn", training={**PLAN, "repeats": 3})
    events: list[ProgressEvent] = []
    record = train(split, problem, workspace, families=quick_families, progress=events.append).record
    plain = train(split, problem.with_values(training=PLAN), workspace, families=quick_families).record
    found = record.repeats
    assert found is not None
    before = {item.name: item.fold_scores for item in record.candidates}

    assert plain.repeats is None
    assert before == {item.name: item.fold_scores for item in plain.candidates} | {
        name: scores for name, scores in before.items() if name.endswith("-calibrated")
    }
    assert found.divisions == 3
    assert found.before == plain.winner.removesuffix("-calibrated")
    assert len(found.finalists) >= 2
    for item in found.finalists:
        assert [len(scores) for scores in item.scores] == [3, 3, 3]
        assert item.scores[0] == before[item.name]
        assert item.mean == pytest.approx(np.mean([np.mean(scores) for scores in item.scores]))
        assert item.scores[1] != item.scores[0]
    assert found.after == record.winner.removesuffix("-calibrated")
    assert record.why.startswith(f"Within noise of the best are {len(found.finalists)} of ")
    assert "over 9 folds" in record.why
    assert {event.step for event in events} >= {"division 2", "division 3"}


def test_auto_leaves_many_rows_and_clear_leaders_alone(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit, and with one candidate only, nothing is scored again and nothing is said."""
    from modelyard.training.families.linear import Linear
    from modelyard.training.stability import repeats

    plan = {**PLAN, "families": ["linear"], "repeats": "auto"}
    split, problem = split_of(table, "churn", training=plan)
    alone = train(split, problem, workspace, families={"linear": Linear()}).record
    monkeypatch.setattr(repeats, "FEW_ROWS", 100)
    many = train(split, problem.with_values(training={**plan, "tuning_rounds": 2}), workspace).record

    assert alone.repeats is None
    assert many.repeats is None


def test_asked_for_in_vain_is_said(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """With one candidate there is nothing to score again, and the run says so."""
    from modelyard.training.families.linear import Linear

    split, problem = split_of(table, "churn", training={**PLAN, "families": ["linear"], "repeats": 4})
    record = train(split, problem, workspace, families={"linear": Linear()}).record

    assert record.repeats is not None
    assert (record.repeats.wanted, record.repeats.divisions) == (4, 1)
    assert record.why.startswith("No other candidate is within noise of the best, so nothing was scored again.")


def test_folds_in_time_have_one_division(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """A number is refused; auto does nothing."""
    split, problem = split_of(table, "churn", data={"time": "day"}, training={**PLAN, "repeats": 3})
    with pytest.raises(ConfigError, match=r"training\.repeats: folds that walk forward in time.*got 3.*Take it out"):
        train(split, problem, workspace)


@pytest.mark.slow
def test_a_stopped_division_leaves_the_choice_of_one(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Ctrl-C on the second division: the run has its winner and says what is missing; the next call goes on."""

    def press(event: ProgressEvent) -> None:
        if event.step == "division 2" and event.done == 2:
            raise KeyboardInterrupt

    split, problem = split_of(table, "churn", training={**PLAN, "repeats": 2})
    stopped = train(split, problem, workspace, families=quick_families, progress=press).record
    events: list[ProgressEvent] = []
    continued = train(split, problem, workspace, families=quick_families, progress=events.append).record
    whole = train(split, problem, workspace, families=quick_families, resume=False).record

    assert stopped.interrupted
    assert stopped.repeats is None
    assert "Stopped before it was scored again on further divisions." in stopped.why
    assert sum("finished before" in event.message for event in events if event.step == "division 2") == 2
    assert continued.repeats == whole.repeats
    assert continued.winner == whole.winner
