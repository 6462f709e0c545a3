"""Resampling that can win: by comparison, or by the project file's word; served with probabilities of the true share."""

import dataclasses
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import ConfigError, MissingExtraError
from modelyard.data import Split
from modelyard.packaging.compile import compile_model
from modelyard.packaging.predictors import BlendPredictor, load_predictor
from modelyard.problem import Problem, Task
from modelyard.report import format_percent
from modelyard.store import Workspace
from modelyard.training import CandidateStatus, InProcessExecutor
from modelyard.training.balancing.resampling import Resampling
from modelyard.training.engine import repeat, train
from modelyard.training.families.family import Family, FitData, Fitted
from modelyard.training.families.linear import Linear
from modelyard.training.target import encode_target

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN: Mapping[str, Any] = {"folds": 3, "tuning_rounds": 0, "workers": 1, "learning_curve": False, "blend": False}


def rare(rows: int = 1_500, seed: int = 0) -> pl.DataFrame:
    """Two numbers, and one positive in twelve by a logistic law."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 2))
    chance = 1 / (1 + np.exp(3.6 - 1.5 * x[:, 0] - x[:, 1]))
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "churn": np.where(generator.random(rows) < chance, "yes", "no")})


def rare_of_three(rows: int = 2_500, seed: int = 0) -> pl.DataFrame:
    """Two numbers, and three classes by a multinomial law: eight in ten, one in seven, one in twenty."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 2))
    odds = np.column_stack([np.full(rows, 2.4), 0.6 + 1.2 * x[:, 0], -1.1 + 1.2 * x[:, 1]])
    drawn = (odds + generator.gumbel(size=odds.shape)).argmax(axis=1)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "grade": np.array(["often", "some", "rare"])[drawn]})


def pair(split_of: MakeSplit, frame: pl.DataFrame, resampling: str, **training: Any) -> tuple[Split, Problem]:
    """A split and a problem that says so of resampling."""
    plan = {**PLAN, "families": ["linear"], "resampling": resampling, **training}
    return split_of(frame, "churn", data={"positive": "yes"}, training=plan)


@dataclasses.dataclass(frozen=True)
class HalfBlind(Linear):
    """Learns from its second feature only where both classes have a third of the weight at least."""

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """With the second feature shuffled, unless the classes are even."""
        weight = np.ones(len(data.target)) if data.weight is None else data.weight
        share = weight[data.target == 1].sum() / weight.sum()
        if min(share, 1 - share) < 1 / 3:
            matrix = np.array(data.matrix)
            matrix[:, 1] = np.random.default_rng(0).permutation(matrix[:, 1])
            data = dataclasses.replace(data, matrix=matrix)
        return super().fit(data, params, seed=seed, rounds=rounds)


@pytest.mark.parametrize(
    ("family", "word", "how"),
    [
        ("linear", "weights", Resampling.WEIGHTS),
        ("lightgbm", "weights", Resampling.WEIGHTS),
        ("lightgbm", "smote", Resampling.SMOTE),
        ("linear", "under", Resampling.UNDER),
    ],
)
def test_named_outright_all_learn_so(
    workspace: Workspace, split_of: MakeSplit, quick_families: Families, family: str, word: str, how: Resampling
) -> None:
    """In folds, refit and package; probabilities are of the true share, and the package answers as the model does."""
    split, problem = pair(split_of, rare(), word, families=[family])
    run = train(split, problem, workspace, families=quick_families, executor=InProcessExecutor())
    record, model = run.record, run.model("final")
    winner = record.candidate(record.winner)
    truth = encode_target(split.validation.frame["churn"], Task.BINARY, record.classes)
    said = model.predict(split.validation.frame)
    _, predictor = compile_model(model, 0.5)
    matrix = model.encoder.transform(split.validation.frame)
    reread = load_predictor(predictor.kind, predictor.to_files())

    assert {item.resampling for item in record.candidates if item.name != "naive"} == {how}
    assert winner.family == family
    assert said.mean() == pytest.approx(truth.mean(), abs=0.03)
    learnt = encode_target(split.train.frame["churn"], Task.BINARY, record.classes)
    assert run.out_of_fold(record.winner).mean() == pytest.approx(learnt.mean(), rel=0.1)
    assert record.winner.endswith("-calibrated") == (winner.calibration is not None)
    assert "its probabilities are set back to the true share" in record.why
    assert record.weights is None
    assert record.work is not None
    assert record.work.resampling == word
    assert np.allclose(reread.predict_matrix(matrix)[:, 0], said, rtol=0, atol=1e-7)
    assert [reread.predict_row(row)[0] for row in matrix[:5].tolist()] == pytest.approx(said[:5], abs=1e-7)
    assert isinstance(reread, BlendPredictor)
    assert reread.kinds == (family,)


def test_in_a_contest_what_gains_nothing_does_not_win(workspace: Workspace, split_of: MakeSplit) -> None:
    """Where the model is right the winner stays, unless luck exceeds its standard error; all ways are candidates."""
    split, problem = pair(split_of, rare(3_000), "auto")
    record = train(split, problem, workspace, executor=InProcessExecutor()).record
    found = record.weights

    assert found is not None
    assert found.corrected
    assert [item.name for item in found.remedies] == [
        "linear",
        "linear-weighted",
        "linear-smote",
        "linear-under-sampled",
    ]
    assert {item.name for item in found.remedies} <= {item.name for item in record.candidates}
    best = max(found.remedies[1:], key=lambda item: item.gain)
    assert (found.won != "") == (best.gain > best.standard_error)
    assert abs(best.gain) < 0.01
    for item in found.remedies:
        assert item.mean_prediction == pytest.approx(found.rare_share, abs=0.012)
        assert item.log_loss == pytest.approx(found.remedies[0].log_loss, abs=0.01)


def test_in_a_contest_what_gains_wins(workspace: Workspace, split_of: MakeSplit) -> None:
    """Planted: a family that overlooks half of the signal where a class is rare. The way is named, fitted, and repeated."""
    split, problem = pair(split_of, rare(), "auto", families=["linear"])
    families = {"linear": HalfBlind()}
    run = train(split, problem, workspace, families=families, executor=InProcessExecutor())
    again = repeat(run.record, split, problem, workspace, families=families, executor=InProcessExecutor())
    record, found = run.record, run.record.weights
    winner = record.candidate(record.winner)

    assert found is not None
    assert found.won == record.winner.removesuffix("-calibrated")
    assert winner.resampling
    assert f"{found.won} takes its place: " in record.why
    assert "its probabilities are set back to the true share" in record.why
    assert [item.fold_scores for item in again.record.candidates] == [item.fold_scores for item in record.candidates]
    assert again.record.winner == record.winner
    assert run.model("final").estimator.calibration is not None


@pytest.mark.parametrize(
    ("family", "word", "how"),
    [
        ("linear", "weights", Resampling.WEIGHTS),
        ("xgboost", "smote", Resampling.SMOTE),
        ("lightgbm", "under", Resampling.UNDER),
    ],
)
def test_of_several_classes_all_learn_so(
    workspace: Workspace, split_of: MakeSplit, quick_families: Families, family: str, word: str, how: Resampling
) -> None:
    """Each class is said as often as it is, in folds and refit; the package answers as the model does, row by row too."""
    plan = {**PLAN, "families": [family], "resampling": word}
    split, problem = split_of(rare_of_three(), "grade", training=plan)
    run = train(split, problem, workspace, families=quick_families, executor=InProcessExecutor())
    record, model = run.record, run.model("final")
    said, held = model.predict(split.validation.frame), run.out_of_fold(record.winner)
    learnt = encode_target(split.train.frame["grade"], Task.MULTICLASS, record.classes)
    shares = np.bincount(learnt.astype(np.intp)) / len(learnt)
    _, predictor = compile_model(model, 0.5)
    reread = load_predictor(predictor.kind, predictor.to_files())
    matrix = model.encoder.transform(split.validation.frame)

    assert {item.resampling for item in record.candidates if item.name != "naive"} == {how}
    assert held.mean(axis=0) == pytest.approx(shares, abs=0.015)
    assert said.mean(axis=0) == pytest.approx(shares, abs=0.04)
    assert "its probabilities are set back to the true shares: " in record.why
    assert f"of 'rare', the rarest class, whose share is {format_percent(float(shares[1]))}." in record.why
    assert np.allclose(reread.predict_matrix(matrix), said, rtol=0, atol=1e-7)
    for row, answer in zip(matrix[:5].tolist(), said[:5], strict=True):
        assert reread.predict_row(row) == pytest.approx(answer.tolist(), abs=1e-7)


def test_in_a_contest_of_several_classes_all_ways_are_candidates(workspace: Workspace, split_of: MakeSplit) -> None:
    """Where the model is right none gains much, and all say of the rarest class what is there; their macro F1 is shown."""
    plan = {**PLAN, "families": ["linear"], "resampling": "auto"}
    split, problem = split_of(rare_of_three(), "grade", training=plan)
    record = train(split, problem, workspace, executor=InProcessExecutor()).record
    found = record.weights

    assert found is not None
    assert (found.corrected, found.watched) == (True, "rare")
    assert found.rare_share == pytest.approx(0.05, abs=0.01)
    assert [item.name for item in found.remedies] == [
        "linear",
        "linear-weighted",
        "linear-smote",
        "linear-under-sampled",
    ]
    best = max(found.remedies[1:], key=lambda item: item.gain)
    assert (found.won != "") == (best.gain > best.standard_error)
    plain = found.remedies[0]
    for item in found.remedies:
        assert item.mean_prediction == pytest.approx(found.rare_share, abs=0.012)
        assert item.log_loss == pytest.approx(plain.log_loss, abs=0.02)
        assert item.f1_moved > item.f1 - 0.01
    assert plain.f1_moved > plain.f1 + 0.02
    assert "Moving the decision alone takes macro F1 from " in found.answer


def test_numbers_are_refused(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """Before anything is fitted; ``auto`` has nothing to do there."""
    split, problem = split_of(table, "amount", training={**PLAN, "families": ["linear"], "resampling": "smote"})
    with pytest.raises(ConfigError, match=r"only classes can be made even, and the task is regression; got smote"):
        train(split, problem, workspace)

    split, problem = split_of(table, "amount", training={**PLAN, "families": ["linear"], "resampling": "auto"})
    assert train(split, problem, workspace, executor=InProcessExecutor()).record.weights is None


def test_what_cannot_be_done_is_refused(
    workspace: Workspace, split_of: MakeSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of one's own on rows that are to be made up; a family without weights; a library that is not there."""
    weighted = rare(600).with_columns(trust=pl.lit(2.0))
    plan = {**PLAN, "families": ["linear"], "resampling": "under"}
    split, problem = split_of(weighted, "churn", data={"positive": "yes", "weight": "trust"}, training=plan)
    with pytest.raises(ConfigError, match=r"rows with weights of their own cannot be resampled.*resampling: weights"):
        train(split, problem, workspace)

    split, problem = pair(split_of, rare(600), "weights", families=["linear", "nearest_neighbours"])
    record = train(split, problem, workspace, executor=InProcessExecutor()).record
    left = record.candidate("nearest_neighbours")
    assert (left.status, left.error) == (
        CandidateStatus.LEFT_OUT,
        "it takes no sample weights, and training.resampling asks for class weights",
    )

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    split, problem = pair(split_of, rare(600), "smote")
    with pytest.raises(MissingExtraError, match=r"training\.resampling: smote.*pip install 'modelyard\[imbalance\]'"):
        train(split, problem, workspace)


def test_an_answer_needs_no_imbalanced_learn(workspace: Workspace, split_of: MakeSplit) -> None:
    """What was kept of the model names nothing of it."""
    split, problem = pair(split_of, rare(600), "smote")
    run = train(split, problem, workspace, executor=InProcessExecutor())
    kept = pickle.dumps(run.model("final"))

    assert b"imblearn" not in kept
    assert b"BlendEstimator" in kept
