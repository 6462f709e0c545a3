"""Units leave what a resumed run needs; matrices know training rows only; tuning asks the same questions everywhere."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import ProgressEvent
from modelyard.data import infer_schema
from modelyard.features import EncodingStyle
from modelyard.problem import FeaturePlan, Task
from modelyard.training import CandidateRole, CandidateStatus, InProcessExecutor
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.family import FitData, Fitted
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.linear import Linear
from modelyard.training.folds import RowKeys, plan_folds
from modelyard.training.model import Learning
from modelyard.training.planning import Clock, SearchPlan
from modelyard.training.search import CrossValidation, FoldMatrices, Recipe
from modelyard.training.search.cross_validation import Question
from modelyard.training.search.matrices import load_held, load_training
from modelyard.training.search.tuning import leading_families, strategy_for, tune
from modelyard.training.search.units import finished

SEED = 11


@dataclasses.dataclass(frozen=True)
class Grumbling(Linear):
    """Warns while it fits."""

    name: str = "grumbling"

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Warn, then fit."""
        import warnings

        warnings.warn("the sky is grey", UserWarning, stacklevel=2)
        return super().fit(data, params, seed=seed, rounds=rounds)


@dataclasses.dataclass(frozen=True)
class Parts:
    """A search on a small table."""

    validation: CrossValidation
    folder: Path
    events: list[ProgressEvent]
    truth: Any


def learning(frame: pl.DataFrame, kinds: Mapping[str, str] | None = None) -> Learning:
    """Two classes, learnt from all columns."""
    return Learning(infer_schema(frame, kinds).columns, None, Task.BINARY, ("no", "yes"))


@pytest.fixture
def parts(tmp_path: Path, table: pl.DataFrame) -> Parts:
    """A binary search by three folds, in this process."""
    frame = table.select("tenure", "charge", "contract")
    truth = (table["churn"] == "yes").to_numpy().astype(np.float64)
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan = plan_folds(keys, 3, SEED)
    question = Question(Task.BINARY, 2, "roc_auc", truth, plan, "digest", SEED)
    matrices = FoldMatrices(tmp_path, frame, learning(frame))
    matrices.write_folds(plan, keys, truth, SEED)
    events: list[ProgressEvent] = []
    validation = CrossValidation(tmp_path, question, matrices, InProcessExecutor(), progress=events.append)
    return Parts(validation, tmp_path, events, truth)


def test_candidates_have_figures_for_every_fold(parts: Parts) -> None:
    """A complete candidate has three scores, their mean and standard deviation, speed and size."""
    (made,) = parts.validation.evaluate([Recipe("linear", Linear(), {"C": 1.0})], step="folds")

    assert made.status is CandidateStatus.DONE
    assert made.role is CandidateRole.CANDIDATE
    assert len(made.fold_scores) == 3
    assert made.mean is not None
    assert made.mean == pytest.approx(np.mean(made.fold_scores))
    assert made.sd == pytest.approx(np.std(made.fold_scores, ddof=1))
    assert made.mean > 0.8
    assert made.predict_ms is not None
    assert 0 < made.predict_ms < 100
    assert made.rows_per_s is not None
    assert made.size_mb is not None
    assert made.rounds is None
    assert np.isfinite(parts.validation.out_of_fold("linear")).all()


def test_a_row_takes_no_longer_than_its_packaged_model_would(parts: Parts) -> None:
    """A forest's library takes many milliseconds for a row; the package that is chosen for is arrays."""
    (made,) = parts.validation.evaluate(
        [Recipe("random_forest", RandomForest(), RandomForest().defaults(Task.BINARY))], step="folds"
    )

    assert made.predict_ms is not None
    assert made.predict_ms < RandomForest.promises.latency.most_ms + 1.0  # and the encoder's time


def test_progress_names_every_unit(parts: Parts) -> None:
    """One event per candidate and fold, with the score."""
    parts.validation.evaluate([Recipe("linear", Linear(), {"C": 1.0})], step="folds")

    assert [(event.step, event.done, event.total) for event in parts.events] == [("folds", n, 3) for n in (1, 2, 3)]
    assert parts.events[0].message.startswith("linear, fold 1: roc_auc 0.")


def test_finished_units_are_not_run_again(parts: Parts) -> None:
    """The second evaluation of an equal configuration reads the first one's results."""
    first = parts.validation.evaluate([Recipe("linear", Linear(), {"C": 1.0})], step="folds")
    again = parts.validation.evaluate([Recipe("linear-again", Linear(), {"C": 1.0})], step="folds")

    assert again[0].fold_scores == first[0].fold_scores
    assert again[0].fit_seconds == first[0].fit_seconds
    assert all("finished before" in event.message for event in parts.events[3:])


def test_a_result_is_there_only_when_it_is_whole(parts: Parts) -> None:
    """An unknown key has no result."""
    assert finished(parts.folder, "0" * 20) is None


def test_boosting_keeps_its_rounds_for_the_refit(parts: Parts) -> None:
    """The candidate's rounds are the mean of the folds' best."""
    (made,) = parts.validation.evaluate(
        [Recipe("lightgbm", LightGBM(max_rounds=40, patience=5), LightGBM().defaults(Task.BINARY))], step="folds"
    )

    assert made.rounds is not None
    assert 1 <= made.rounds <= 40


def test_a_refit_takes_as_long_as_the_rounds_that_the_folds_agreed_on(parts: Parts) -> None:
    """Folds that stopped sooner or later than that say by their seconds a round; without rounds, by their mean."""
    boosted = Recipe("lightgbm", LightGBM(max_rounds=200, patience=5), LightGBM().defaults(Task.BINARY))
    linear = Recipe("linear", Linear(), {"C": 1.0})
    made, simple = parts.validation.evaluate([boosted, linear], step="folds")
    units = [finished(parts.folder, unit.key) for unit in parts.validation.units(boosted)]
    trained = [(unit.fit_seconds, unit.stages[-1]) for unit in units if unit is not None]

    assert made.rounds is not None
    assert {stop for _, stop in trained} != {made.rounds}
    agreed_s = made.rounds * np.mean([took / stop for took, stop in trained])
    assert parts.validation.fit_s == pytest.approx({"lightgbm": agreed_s, "linear": simple.fit_seconds / 3})


def test_library_warnings_become_notes(parts: Parts) -> None:
    """A warning neither stops a candidate nor is lost."""
    (made,) = parts.validation.evaluate([Recipe("grumbling", Grumbling(), {"C": 1.0})], step="folds")

    assert made.status is CandidateStatus.DONE
    assert made.notes == ("UserWarning: the sky is grey",)


def test_bad_parameters_fail_their_candidate_only(parts: Parts) -> None:
    """The failing candidate has its error, the other one its scores."""
    bad, good = parts.validation.evaluate(
        [Recipe("bad", Linear(), {"C": -1.0}), Recipe("good", Linear(), {"C": 1.0})], step="folds"
    )

    assert bad.status is CandidateStatus.FAILED
    assert "fold 1: InvalidParameterError" in bad.error
    assert bad.mean is None
    assert good.is_complete


def test_after_the_deadline_nothing_begins(parts: Parts) -> None:
    """A search whose time is over marks candidates as interrupted."""
    late = parts.validation
    late._clock = Clock(0.0)
    (made,) = late.evaluate([Recipe("linear", Linear(), {"C": 1.0})], step="folds")

    assert made.status is CandidateStatus.INTERRUPTED
    assert made.error == "stopped after 0 of 3 folds"
    assert parts.events == []


def test_encoders_see_training_rows_only(tmp_path: Path) -> None:
    """A category that only held-out rows have gets no feature, and their mean plays no role in standardising."""
    frame = pl.DataFrame({"number": [0.0, 2.0, 100.0, 100.0], "word": ["a", "b", "c", "c"]})
    truth = np.array([0.0, 1.0, 0.0, 1.0])
    keys = RowKeys("time", truth.astype(np.int64), np.arange(4))
    plan = plan_folds(RowKeys("group", np.zeros(4, dtype=np.int64), np.array([0, 0, 1, 1])), 2, 0)
    matrices = FoldMatrices(tmp_path, frame, learning(frame, {"word": "category"}))
    matrices.write_folds(plan, keys, truth, 0)
    matrices.require(EncodingStyle.LINEAR)
    fold = next(index for index, fold in enumerate(plan.folds) if fold.train.tolist() == [0, 1])
    data, present = load_training(tmp_path, fold, EncodingStyle.LINEAR, Task.BINARY)
    held = load_held(tmp_path, fold, EncodingStyle.LINEAR)

    assert present == (0, 1)
    assert data.matrix[:, 0].tolist() == [-1.0, 1.0]
    assert held.tolist() == [[99.0, 0.0, 0.0], [99.0, 0.0, 0.0]]


def test_codes_are_dense_and_stopping_rows_hold_known_classes(tmp_path: Path) -> None:
    """A class that training rows lack leaves no hole in the codes; one that only stopping rows had goes back."""
    frame = pl.DataFrame({"number": np.arange(80.0)})
    truth = np.array([0.0, 2.0] * 40)
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan = plan_folds(keys, 2, 0)
    matrices = FoldMatrices(tmp_path, frame, learning(frame, {"number": "numeric"}))
    matrices.write_folds(plan, keys, truth, 0)
    matrices.require(EncodingStyle.TREE)
    data, present = load_training(tmp_path, 0, EncodingStyle.TREE, Task.MULTICLASS)

    assert present == (0, 2)
    assert sorted(set(data.target)) == [0.0, 1.0]
    assert set(data.target[data.stop]) <= set(data.target[~data.stop])


def test_tuning_asks_the_same_questions_again() -> None:
    """Equal seeds and equal answers give equal suggestions, the proven points first."""
    asked = []
    for _ in range(2):
        search = strategy_for(LightGBM(), Task.BINARY, 8, True, 5, SearchPlan())
        suggested = search.suggest(4)
        search.tell([0.7, None, 0.8, 0.75])
        suggested += search.suggest(9)
        search.tell([0.7] * 4)
        assert search.suggest(1) == []
        asked.append([item.params for item in suggested])

    assert asked[0] == asked[1]
    assert asked[0][0] == LightGBM().portfolio(Task.BINARY)[0]
    assert len({str(params) for params in asked[0]}) == 8


def test_tuning_spends_its_rounds_on_the_leader(parts: Parts) -> None:
    """Three rounds of the boosting family, named in order; the linear model is not tuned beside it."""
    families = (Linear(), RandomForest(trees=5), LightGBM(max_rounds=10, patience=3))
    parts.validation.evaluate([Recipe(item.name, item, item.defaults(Task.BINARY)) for item in families], step="folds")

    assert tune(parts.validation, families, 3, seed=1)
    tuned = [item.name for item in parts.validation.candidates[3:]]
    assert tuned == ["lightgbm-tuned-1", "lightgbm-tuned-2", "lightgbm-tuned-3"]
    totals = {event.total for event in parts.events if event.step == "tuning"}
    assert totals == {9}


def test_leading_families_take_turns(parts: Parts) -> None:
    """Two leaders share ten rounds, four at a time; one that is too dear leaves its turns to nobody, and ends tuning early."""
    other, boosted = XGBoost(max_rounds=10, patience=3), LightGBM(max_rounds=10, patience=3)
    families = (Linear(), other, boosted)
    parts.validation.evaluate([Recipe(item.name, item, item.defaults(Task.BINARY)) for item in families], step="folds")
    before = len(parts.validation.candidates)
    first, second = (family.name for family in leading_families(parts.validation, families, SearchPlan(leaders=2)))

    assert tune(parts.validation, families, 10, seed=1, plan=SearchPlan(leaders=2))
    tuned = [item.name for item in parts.validation.candidates[before:]]
    turns = [(first, range(1, 5)), (second, range(1, 5)), (first, range(5, 6)), (second, range(5, 6))]
    assert {first, second} == {"xgboost", "lightgbm"}
    assert tuned == [f"{name}-tuned-{number}" for name, numbers in turns for number in numbers]

    again = len(parts.validation.candidates)
    plan = SearchPlan(strategy="random", leaders=2)
    assert not tune(
        parts.validation, families, 6, seed=2, plan=plan, allows=lambda _name, family, _share: family != first
    )
    assert {item.family for item in parts.validation.candidates[again:]} == {second}
    assert len(parts.validation.candidates) == again + 3


def test_the_family_of_the_best_candidate_leads(parts: Parts) -> None:
    """A family whose default is behind leads by another configuration of its own."""
    other, boosted = XGBoost(max_rounds=10, patience=3), LightGBM(max_rounds=10, patience=3)
    stump = {**boosted.defaults(Task.BINARY), "num_leaves": 2, "min_child_samples": 90, "learning_rate": 1e-4}
    recipes = [Recipe("lightgbm", boosted, stump), Recipe("xgboost", other, other.defaults(Task.BINARY))]
    parts.validation.evaluate(recipes, step="folds")
    assert [family.name for family in leading_families(parts.validation, (other, boosted))] == ["xgboost"]
    better = {**boosted.defaults(Task.BINARY), "learning_rate": 0.3}
    parts.validation.evaluate([Recipe("lightgbm-2", boosted, better)], step="folds")
    means = {item.name: item.mean or 0.0 for item in parts.validation.candidates}

    leader = "lightgbm" if means["lightgbm-2"] > means["xgboost"] else "xgboost"
    assert [family.name for family in leading_families(parts.validation, (other, boosted))] == [leader]
    assert leader == "lightgbm"


def test_a_linear_model_is_tuned_when_it_is_alone(parts: Parts) -> None:
    """Where nothing has more to tune, the penalty is tuned."""
    parts.validation.evaluate([Recipe("linear", Linear(), {"C": 1.0})], step="folds")

    assert [family.name for family in leading_families(parts.validation, (Linear(), RandomForest()))] == ["linear"]


def test_an_undefined_metric_fails_the_candidate(parts: Parts) -> None:
    """A system that gives no answer in some rows cannot be scored."""
    held = [fold.held for fold in parts.validation._question.plan.folds]
    parts.validation.add_baseline("existing", {}, lambda fold: np.full(len(held[fold]), np.nan))

    (made,) = parts.validation.candidates
    assert made.status is CandidateStatus.FAILED
    assert made.error == "roc_auc is undefined for its predictions in fold 1"


def test_rows_held_out_have_no_say_in_a_folds_selection(tmp_path: Path) -> None:
    """Each fold chooses by its training rows: other values in the rows that it holds out change nothing."""
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({f"n{place}": generator.normal(size=120) for place in range(24)})
    truth = (frame["n3"].to_numpy() + generator.normal(size=120) > 0).astype(np.float64)
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan = plan_folds(keys, 3, SEED)
    chosen = []
    for name, replaced in (("one", False), ("other", True)):
        rows, answers = frame.to_numpy().copy(), truth.copy()
        if replaced:
            rows[plan.folds[0].held] = generator.normal(5, 9, size=rows[plan.folds[0].held].shape)
            answers[plan.folds[0].held] = 1 - answers[plan.folds[0].held]
        table = pl.DataFrame(rows, schema=frame.columns)
        task = dataclasses.replace(learning(table), plan=FeaturePlan())
        matrices = FoldMatrices(tmp_path / name, table, task)
        matrices.write_folds(plan, keys, answers, SEED)
        matrices.require(EncodingStyle.LINEAR)
        chosen.append(matrices.selections(EncodingStyle.LINEAR))
        assert load_held(tmp_path / name, 0, EncodingStyle.LINEAR).shape[1] == len(chosen[-1][0].chosen)  # type: ignore[union-attr]

    assert chosen[0][0] == chosen[1][0]
    assert chosen[0][1] != chosen[1][1]
    assert all("n3" in item.chosen for item in chosen[0] if item is not None)
