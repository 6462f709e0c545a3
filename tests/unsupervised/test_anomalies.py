"""Anomalies that were planted are found, explained, and judged by labels that taught nobody."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unsupervised.conftest import ADA, divided, noise, payments, row_problem

from modelyard.core import DataError
from modelyard.data import Split
from modelyard.problem import Problem
from modelyard.report import render_html
from modelyard.store import Workspace
from modelyard.unsupervised.anomalies.evaluate import evaluate_anomalies
from modelyard.unsupervised.anomalies.page import anomaly_page, reasons_in_words
from modelyard.unsupervised.anomalies.records import AnomalyRun
from modelyard.unsupervised.anomalies.search import search_anomalies
from modelyard.unsupervised.archive import open_fitted

Searched = tuple[AnomalyRun, Split, Problem, Workspace]
QUICK = ("local_outlier_factor", "one_class_svm")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Six hundred payments, a fiftieth of them fraud."""
    problem = row_problem("anomaly", "fraud", {"id": "payment", "positive": "1"}, contamination=0.02)
    split, workspace = divided(payments(), problem, tmp_path_factory.mktemp("labelled"))
    return search_anomalies(split, problem, workspace), split, problem, workspace


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """The same payments, and nobody says which."""
    problem = row_problem("anomaly", "", {"id": "payment"}, contamination=0.02, detectors=QUICK)
    split, workspace = divided(payments().drop("fraud"), problem, tmp_path_factory.mktemp("unlabelled"))
    return search_anomalies(split, problem, workspace), split, problem, workspace


def test_planted_anomalies_come_first_with_the_right_reasons(labelled: Searched) -> None:
    """All ten frauds of the training rows are the ten strangest, for their amount or their hour."""
    run, *_ = labelled
    first = run.top[:10]

    assert run.labels == (510, 10)
    assert all(item.label for item in first)
    assert {reason.column for item in first for reason in item.reasons[:1]} <= {"amount", "hour"}
    assert "hour is 3 (usual: 8 to 19)" in " ".join(reasons_in_words(item) for item in first)
    assert (run.candidate(run.winner).figures["pr_auc"] or 0) > 0.95
    assert {item.name for item in run.candidates} == {
        "far_from_middle",
        "isolation_forest",
        "local_outlier_factor",
        "one_class_svm",
        "average",
    }


def test_labels_judge_and_never_teach(labelled: Searched, unlabelled: Searched, tmp_path: Path) -> None:
    """With labels drawn at random the scores are the same, and average precision falls to chance."""
    _, _, problem, _ = labelled
    shuffled = payments().with_columns(fraud=pl.col("fraud").shuffle(seed=4))
    split, workspace = divided(shuffled, problem, tmp_path)
    run = search_anomalies(split, problem, workspace)

    assert (run.candidate(run.winner).figures["pr_auc"] or 1) < 0.3
    assert unlabelled[0].labels == (0, 0)


def test_without_labels_the_steadiest_detector_wins_and_claims_no_more(unlabelled: Searched) -> None:
    """The planted rows are named; the answer says that nobody can say that they are anomalies."""
    run, split, problem, workspace = unlabelled
    result = evaluate_anomalies(run, split, problem, workspace, actor=ADA, reason=None)
    nights = sum(item.reasons[0].column in ("amount", "hour") for item in run.top[:8] if item.reasons)

    assert run.metric == "stability"
    assert "pr_auc" not in run.candidate(run.winner).figures
    assert nights >= 6
    assert "nobody can say that they are anomalies" in result.answer
    assert split.test.openings() == 0


def test_the_stated_share_is_called_anomalies(unlabelled: Searched) -> None:
    """Two in a hundred training rows lie at or above the threshold."""
    run, split, _, workspace = unlabelled
    fitted = open_fitted(run.id, workspace)

    assert float((fitted.reference >= run.threshold).mean()) == pytest.approx(0.02, abs=0.002)
    assert len(fitted.reference) == split.record.train_rows


def test_the_sealed_rows_are_opened_once_and_measured_with_intervals(labelled: Searched) -> None:
    """Two frauds are sealed; they are the strangest sealed rows."""
    run, split, problem, workspace = labelled
    result = evaluate_anomalies(run, split, problem, workspace, actor=ADA, reason="final")
    precision = result.figure("pr_auc")

    assert split.test.openings() == 1
    assert (result.measured_on, result.rows) == ("test", 90)
    assert [item.label for item in result.top[:2]] == [True, True]
    assert precision.value == pytest.approx(1.0)
    assert result.base == pytest.approx(2 / 90)
    assert result.figure("recall").value == 1.0


def test_the_page_lists_rows_with_reasons(labelled: Searched) -> None:
    """The answer comes first, then the strangest rows."""
    run, split, problem, workspace = labelled
    result = evaluate_anomalies(run, split, problem, workspace, actor=ADA, reason=None)
    html = render_html(anomaly_page(result, run, problem))

    assert html.index("The answer") < html.index("The strangest rows") < html.index("Why this detector")
    assert "usual: 8 to 19" in html


def test_the_same_question_gives_the_same_answer(unlabelled: Searched) -> None:
    """Made anew, all figures and the strangest rows are the same."""
    run, split, problem, workspace = unlabelled
    again = search_anomalies(split, problem, workspace, resume=False)

    assert again.top == run.top
    assert [item.figures for item in again.candidates] == [item.figures for item in run.candidates]
    assert search_anomalies(split, problem, workspace).created_at == again.created_at


def test_unsteady_anomalies_are_a_finding(tmp_path: Path) -> None:
    """In uniform noise which row is strangest is chance, and the evaluation says so."""
    problem = row_problem("anomaly", contamination=0.01, detectors=("isolation_forest",))
    split, workspace = divided(noise(200, 6), problem, tmp_path)
    run = search_anomalies(split, problem, workspace)
    result = evaluate_anomalies(run, split, problem, workspace, actor=ADA, reason=None)

    assert [item.id for item in result.findings] == ["anomalies-unsteady"]


def test_guardrails_are_held(labelled: Searched) -> None:
    """A bound on average precision that is not met is an error."""
    run, split, problem, workspace = labelled
    strict = problem.with_values(metrics={"guardrails": {"pr_auc": ">= 1.1"}})
    result = evaluate_anomalies(run, split, strict, workspace, actor=ADA, reason=None)

    assert result.guardrails[0].startswith("PR AUC (average precision) is ")
    assert result.findings[0].id == "guardrail-not-met"


def test_labels_of_one_class_are_refused(tmp_path: Path) -> None:
    """One class judges nothing; the cure is to search without labels."""
    problem = row_problem("anomaly", "fraud", {"id": "payment"})
    split, workspace = divided(payments(strange=0), problem, tmp_path)

    with pytest.raises(DataError, match=r"labels of anomalies have two values, these have 1.*Leave data\.target out"):
        search_anomalies(split, problem, workspace)


def test_missing_labels_are_no_labels(tmp_path: Path) -> None:
    """Rows without a label are searched and not judged."""
    rows = payments(strange=24).with_row_index()
    rows = rows.with_columns(fraud=pl.when(pl.col("index") % 2 == 0).then(pl.col("fraud"))).drop("index")
    problem = row_problem("anomaly", "fraud", {"id": "payment"}, detectors=("local_outlier_factor",))
    split, workspace = divided(rows, problem, tmp_path)
    run = search_anomalies(split, problem, workspace)

    assert run.rows == 510
    assert run.labels[0] == split.train.frame["fraud"].drop_nulls().len() < 300
    assert np.isfinite(run.candidate(run.winner).figures["pr_auc"] or np.nan)
