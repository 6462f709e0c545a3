import datetime as dt
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring import MonitorReport, monitor
from modelyard.monitoring.expected import Assumption, class_promise, error_promise
from modelyard.problem import Problem
from modelyard.training.metrics import score, score_weighted

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]
START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def _auc(log: pl.DataFrame, labels: pl.DataFrame) -> float:
    truth = (labels["label"] == "Yes").cast(pl.Float64).to_numpy()
    return score("roc_auc", truth, log["score"].to_numpy())


def _monitor(
    profile: ReferenceProfile, problem: Problem, log: pl.DataFrame, labels: pl.DataFrame | None = None
) -> MonitorReport:
    return monitor(profile, log, labels, problem, reference_score=0.78, classes=("No", "Yes"))


def _scored_with(log: pl.DataFrame, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The log as it would be had the model met these columns."""
    changed = log.with_columns(expression.alias(name) for name, expression in columns.items())
    odds = 1.0 - 1.2 * changed["feature.age"] - 0.6 * (changed["feature.spend"] - 1)
    return changed.with_columns(score=1 / (1 + odds.exp()))


def test_a_promise_is_what_comes_true(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """In the world of training, and in one whose inputs moved, the expected metric is the realised one."""
    for changes in ({}, {"mean": -0.8}):
        log, labels = make_log(4, lambda _, changes=changes: changes, rows=2_000)
        report = _monitor(profile, problem, log)
        value = float(np.mean([one.value for one in report.expected if one.value is not None]))

        assert abs(value - _auc(log, labels)) < 0.012
        assert [one.assumption for one in report.expected] == [Assumption.UNCHECKED] * 4


def test_labels_bear_a_promise_out(profile: ReferenceProfile, problem: Problem, make_log: MakeLog) -> None:
    """With labels that agree the assumption is held, in clean windows always."""
    log, labels = make_log(14)
    report = _monitor(profile, problem, log, labels)

    assert [one.assumption for one in report.expected] == [Assumption.HELD] * 14
    assert report.findings == ()


def test_a_unit_bug_raises_the_promise_and_breaks_its_assumption(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """A column ten times too large makes the model surer and worse; the promise rises, and is said to be broken."""
    log, labels = make_log(4, rows=2_000)
    broken = _scored_with(log, {"feature.age": pl.col("feature.age") * 10})
    usual, report = _monitor(profile, problem, log), _monitor(profile, problem, broken)
    promised = [float(np.mean([one.value or 0.0 for one in each.expected])) for each in (usual, report)]

    assert promised[1] > promised[0] + 0.05
    assert _auc(broken, labels) < promised[1] - 0.08
    assert [one.assumption for one in report.expected] == [Assumption.BROKEN] * 4
    assert any("age" in sentence for sentence in report.expected[0].against)
    assert not any(one.worse for one in report.expected)


def test_a_changed_relation_breaks_the_assumption_once_some_labels_come(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """Concept drift leaves the promise as it was; three hundred labels a day are enough to see that it lies."""
    log, labels = make_log(6, lambda day: {"turned": day >= 3})
    few = labels.filter(pl.int_range(pl.len()) % 2 == 0)
    report = _monitor(profile, problem, log, few)
    values = [one.value for one in report.expected if one.value is not None]

    assert max(values) - min(values) < 0.08
    assert [one.assumption for one in report.expected] == [Assumption.HELD] * 3 + [Assumption.BROKEN] * 3
    assert "was promised" in report.expected[-1].against[0]


def test_harder_rows_are_a_warning_before_labels_come(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """If what the model can tell has gone from the rows, its own probabilities say so."""
    log, labels = make_log(4, rows=1_500)
    dull = _scored_with(log, {"feature.age": pl.col("feature.age") * 0.1})
    report = _monitor(profile, problem, dull)

    assert all(one.worse for one in report.expected)
    assert "expected-drop" in {finding.id for finding in report.findings}
    labelled = _monitor(profile, problem, dull, labels)
    assert "expected-drop" not in {finding.id for finding in labelled.findings}


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_several_classes_promise_too(metric: str) -> None:
    """Outcomes drawn from the probabilities themselves come out as promised."""
    generator = np.random.default_rng(1)
    shares = generator.dirichlet([2.0, 1.0, 1.0], size=2_000)
    truth = np.array([generator.choice(3, p=row) for row in shares], dtype=np.float64)
    promise = class_promise(shares, lambda codes, said, weights: score_weighted(metric, codes, said, weights), seed=1)

    assert promise is not None
    assert abs(score(metric, truth, shares) - promise.value) < 4 * promise.spread
    assert promise.low < promise.value < promise.high


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_known_errors_promise_the_error_of_new_rows(metric: str) -> None:
    """Errors that grow with the prediction promise larger errors where predictions are larger."""
    generator = np.random.default_rng(2)

    def rows(centre: float) -> tuple[np.ndarray, np.ndarray]:
        prediction = generator.uniform(centre, centre + 5, 3_000)
        return prediction + generator.normal(0, prediction), prediction

    known = rows(0.0)
    known_high = rows(5.0)
    truth, prediction = rows(5.0)
    both = tuple(np.concatenate(pair) for pair in zip(known, known_high, strict=True))

    def measure(codes: np.ndarray, said: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return score_weighted(metric, codes, said, weights)

    promise = error_promise(prediction, both[0], both[1], measure, seed=1)
    assert promise is not None
    assert abs(promise.value / score(metric, truth, prediction) - 1) < 0.06
    assert error_promise(prediction, truth[:299], prediction[:299], measure, seed=1) is None
