"""A winner of any family goes the whole way: trained, explained, packaged, proved, and scored."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.packaging import Scorer
from modelyard.packaging.golden import as_requests, largest_difference


@pytest.mark.parametrize(
    ("table", "family", "kind"),
    [
        ("contract", "svm", "kernel"),
        ("bike", "mlp", "network"),
        ("bike", "realmlp", "network"),
        ("churn", "catboost", "oblivious"),
        pytest.param("contract", "ebm", "additive", marks=pytest.mark.slow),
        ("churn", "naive_bayes", "gaussian"),
    ],
)
def test_a_winner_of_the_family_is_packaged_and_served(
    project_of: Any, tmp_path: Path, table: str, family: str, kind: str
) -> None:
    """The package's own proof of parity passes, and its scorer answers requests as the run's final model does."""
    project = project_of(table, family, 500)
    scorer = Scorer.load(project.build(tmp_path / "package"))
    rows = project.split.validation.frame[:12]
    expected = project.run.model("final").predict(rows)
    single = np.concatenate([scorer.score_rows([request]) for request in as_requests(rows)])

    assert project.run.record.winner.startswith(family)
    assert scorer.plan.predictor == kind
    assert scorer.verify_golden().ok
    assert largest_difference(single, expected) <= scorer.golden.tolerance
    assert project.evaluation.explanations


def test_a_blend_is_packaged_and_served(project_of: Any, tmp_path: Path) -> None:
    """Members of several kinds with encoders of two styles: one package, equal answers for one row and many."""
    project = project_of("churn", ("linear", "svm", "lightgbm"), 2000)
    scorer = Scorer.load(project.build(tmp_path / "package"))
    rows = project.split.validation.frame[:12]
    expected = project.run.model("final").predict(rows)
    single = np.concatenate([scorer.score_rows([request]) for request in as_requests(rows)])

    assert project.run.record.winner == "blend"
    assert scorer.plan.predictor == "blend"
    assert scorer.verify_golden().ok
    assert "lightgbm" in scorer.manifest.requirements
    assert largest_difference(single, expected) <= scorer.golden.tolerance
    assert largest_difference(scorer.score_frame(rows), expected) <= scorer.golden.tolerance
    assert project.evaluation.explanations


@pytest.mark.slow
def test_a_winner_of_ones_own_is_packaged_and_served(
    project_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An estimator by its dotted path, which no native form fits: kept by skops, and served with an operator's yes."""
    custom = {"mine": {"path": "sklearn.ensemble.HistGradientBoostingRegressor", "params": {"max_iter": 30}}}
    project = project_of("bike", "linear", 900, custom=custom)  # it is far better than a linear model here
    package = project.build(tmp_path / "package")
    monkeypatch.setenv("MODELYARD_ALLOW_SKOPS", "known")
    scorer = Scorer.load(package)
    rows = project.split.validation.frame[:12]
    expected = project.run.model("final").predict(rows)
    single = np.concatenate([scorer.score_rows([request]) for request in as_requests(rows)])

    assert project.run.record.winner.startswith("mine")
    assert scorer.plan.predictor == "skops"
    assert package.manifest.skops == ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
    assert largest_difference(single, expected) <= scorer.golden.tolerance
