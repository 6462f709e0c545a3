"""``modelyard train --update``: the champion goes on learning, and passes the gates of every challenger."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.release import ALONE, release
from typer.testing import CliRunner

from modelyard import Project
from modelyard.cli.app import app
from modelyard.core import ConfigError
from modelyard.data import load_split
from modelyard.packaging import Scorer, load_package
from modelyard.retraining import Outcome
from modelyard.retraining.gates import update_gate
from modelyard.training.run import load_run
from modelyard.training.update import Update

SETTINGS = (*ALONE, "training.families=[lightgbm]", "retraining.min_new_rows=150")


def customers(rows: int, seed: int, *, moved: bool) -> pl.DataFrame:
    """Who leaves: by tenure, and later by price."""
    generator = np.random.default_rng(seed)
    tenure, price = generator.uniform(0, 60, rows), generator.uniform(10, 100, rows)
    plan = generator.choice(["month", "year"], rows)
    risk = (price - 55) / 12 if moved else (25 - tenure) / 8
    leaves = generator.random(rows) < 1 / (1 + np.exp(-risk))
    return pl.DataFrame({"tenure": tenure, "price": price, "plan": plan, "churn": np.where(leaves, "yes", "no")})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose LightGBM of the old world is in production."""
    home = tmp_path_factory.mktemp("shop")
    customers(900, 1, moved=False).write_parquet(home / "old.parquet")
    customers(900, 2, moved=True).write_parquet(home / "new.parquet")
    Project.new(home / "churn", data=home / "old.parquet", target="churn")
    project = Project.open(home / "churn", settings=SETTINGS)
    release(project)
    return home


def test_an_update_is_a_challenger_that_names_what_it_continued(shop: Path) -> None:
    """Through all gates to a registered version, whose package serves what the run says; from the command line."""
    given = [word for setting in SETTINGS for word in ("--set", setting)]
    command = ["train", "--update", str(shop / "new.parquet"), "--json", "-p", str(shop / "churn"), *given]
    result = CliRunner().invoke(app, command)
    decision = json.loads(result.output)
    project = Project.open(shop / "churn", settings=SETTINGS)
    champion = load_run(str(project.status().run_id), project.workspace)
    run = load_run(decision["run_id"], project.workspace)
    split = load_split(run.record.split_id, project.workspace)
    found = run.record.update

    assert result.exit_code == 0, decision
    assert decision["outcome"] == Outcome.CHALLENGER.value
    assert [gate["gate"] for gate in decision["gates"]] == [
        "data", "contract", "audit", "update", "comparison", "segments", "package",
    ]  # fmt: skip
    assert found is not None
    assert (found.run_id, found.version, found.family) == (champion.record.id, 1, "lightgbm")
    assert found.rounds_before == champion.record.candidate("lightgbm").rounds
    assert found.rounds_added is not None
    assert found.gain > 2 * found.gain_error
    assert found.rows_known + found.rows_new == split.development.frame.height
    assert f"lightgbm-updated continues version 1 (run {champion.record.id})" in run.record.why
    assert [item.name for item in run.record.candidates] == ["champion", "lightgbm-updated", "lightgbm-anew"]

    (folder,) = (shop / "churn" / ".modelyard" / "packages").glob(f"*-{decision['challenger_version']}-*")
    rows = split.validation.frame.head(20)

    assert Scorer.load(load_package(folder)).score_frame(rows) == pytest.approx(
        run.model("final").predict(rows), abs=1e-9
    )


def test_rows_that_the_model_knows_were_held_out_by_nobody(shop: Path) -> None:
    """Out-of-fold predictions begin after them, and equal what each fold's model says."""
    project = Project.open(shop / "churn", settings=SETTINGS)
    project.retrain(shop / "new.parquet", update=True)  # unless another test has done so in this shop
    decision = project.retrain(shop / "new.parquet", update=True)

    assert decision.outcome is Outcome.STOPPED  # a version waits that knows the same rows
    assert "has learnt from the same rows" in decision.reason

    (folder,) = (shop / "churn" / ".modelyard" / "packages").glob("churn-2-*")
    run = load_run(load_package(folder).manifest.run_id, project.workspace)
    predictions, folds = run.out_of_fold("lightgbm-updated"), run.fold_of_row()
    update = run.record.update

    assert update is not None
    assert np.isnan(predictions[: update.rows_known]).all()
    assert (folds[: update.rows_known] == -1).all()
    assert np.isfinite(predictions[update.rows_known :]).all()


def test_a_model_that_has_to_see_all_rows_is_refused(shop: Path, tmp_path: Path) -> None:
    """Before anything is fitted; ``--accept`` has no meaning here."""
    path = str(shop / "new.parquet")
    result = CliRunner().invoke(app, ["train", "--update", path, "--accept", "why not", "-p", str(shop / "churn")])

    assert isinstance(result.exception, ConfigError)
    assert "asks the gates of a retraining" in result.exception.sentence

    customers(500, 1, moved=False).write_parquet(tmp_path / "old.parquet")
    Project.new(tmp_path / "plain", data=tmp_path / "old.parquet", target="churn")
    project = Project.open(tmp_path / "plain", settings=(*SETTINGS, "training.families=[linear]"))
    release(project)
    with pytest.raises(ConfigError, match="this model cannot be updated"):
        project.retrain(path, update=True)

    assert project.status().production == 1


def test_the_gate_says_no_where_training_anew_is_better() -> None:
    """Beyond two standard errors, with the way to do it."""
    update = Update("r", 1, "lightgbm", 100, 50, 10, 5, 0.1, 0.01, 0.05, 0.02, 0.1, 1.0)
    found = update_gate(update, "roc_auc")
    close = update_gate(Update.from_dict({**update.to_dict(), "behind": 0.03}), "roc_auc")

    assert (found.gate, found.passed, close.passed) == ("update", False, True)
    assert "gains 0.0500 ROC AUC over the update" in found.detail
    assert "Run `modelyard retrain`" in found.detail
