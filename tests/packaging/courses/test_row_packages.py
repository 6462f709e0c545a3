"""Packages of anomalies and clusters: a whole life, and every door through which they answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests.courses.test_rows import course_of, project_of
from tests.packaging.courses.own_tests import assert_own_tests_pass
from tests.release import promote_by_grace
from tests.unsupervised.conftest import blobs, payments

from modelyard.core import GateRefusedError, StateError
from modelyard.courses.rows import RowCourse
from modelyard.monitoring import Verdict
from modelyard.packaging import Package, Scorer
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.packaging.mlflow_loader import PyfuncModel, _load_pyfunc
from modelyard.packaging.verification import Outcome, verify_package
from modelyard.problem import Task
from modelyard.project import Project


def with_gaps(rows: pl.DataFrame) -> pl.DataFrame:
    """Every seventh amount is missing; a column of Booleans beside the others."""
    gap = pl.int_range(pl.len()) % 7 == 3
    return rows.with_columns(
        pl.when(gap).then(None).otherwise("amount").alias("amount"), (pl.col("hour") > 12).alias("afternoon")
    )


@pytest.fixture(scope="module")
def anomalies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Package]:
    """A project that looks for strange payments by all detectors together, with its package."""
    folder = tmp_path_factory.mktemp("payments")
    project = project_of(folder, with_gaps(payments(300)).drop("fraud"), "anomaly", anomaly={"contamination": 0.02})
    course = course_of(project)
    course.train()
    course.evaluate()
    return project, course.package()


@pytest.fixture(scope="module", params=["kmeans", "gaussian_mixture", "hdbscan"])
def clusters(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Package]:
    """A project over three round clusters, with its package."""
    plan = {"most": 3, "repeats": 5, "methods": [request.param]}
    project = project_of(tmp_path_factory.mktemp("blobs"), blobs(240).drop("member"), "clustering", clustering=plan)
    course = course_of(project)
    course.train()
    course.evaluate(open_test="final evaluation")
    return project, course.package()


def test_a_package_of_anomalies_is_whole(anomalies: tuple[Project, Package]) -> None:
    """Every check passes but for what people have not filled in; no file needs pickle or scikit-learn."""
    _, package = anomalies
    result = verify_package(package.folder)
    card = package.read_json("card.json")
    metrics = package.read_json("metrics.json")

    assert {check.outcome for check in result.checks} == {Outcome.PASSED, Outcome.INCOMPLETE}
    assert metrics["parity"]["rows"] > 50
    assert metrics["parity"]["max_abs_difference"] <= 1e-9
    assert metrics["parity_on_table"]["rows"] == 255
    assert package.manifest.requirements.keys() == {"modelyard", "numpy", "polars"}
    assert (card["identity"]["task"], card["identity"]["classes"]) == ("anomaly", ["usual", "anomaly"])
    assert [item["name"] for item in card["performance"]["validation"][0]["metrics"]] == [
        "stability",
        "agreement",
        "flagged",
    ]
    assert card["performance"]["test"] == []
    assert "The sealed test part has not been opened" in json.dumps(card["limitations"])
    assert "performance: costs" not in card["not_provided"]
    assert "Finds anomalies" in package.read("card.md").decode()


def test_a_package_of_clusters_is_whole(clusters: tuple[Project, Package]) -> None:
    """Likewise; its card tells each cluster in words, and the figures of the sealed rows."""
    _, package = clusters
    result = verify_package(package.folder)
    card = package.read_json("card.json")

    assert {check.outcome for check in result.checks} == {Outcome.PASSED, Outcome.INCOMPLETE}
    assert package.read_json("metrics.json")["parity"]["max_abs_difference"] <= 1e-9
    assert card["identity"]["classes"][:3] == ["1", "2", "3"]
    assert "Cluster 3 (" in card["use"]["decision"]
    figures = {item["name"]: item for item in card["performance"]["test"][0]["metrics"]}
    assert figures.keys() == {"silhouette", "davies_bouldin", "calinski_harabasz", "replication"}
    assert figures["silhouette"]["low"] < figures["silhouette"]["value"] < figures["silhouette"]["high"]
    assert not figures["davies_bouldin"]["greater_is_better"]
    assert card["openings_count"] == 1


def test_the_tests_in_the_package_pass(anomalies: tuple[Project, Package], tmp_path: Path) -> None:
    """They run in a process without what trains, and leave the package whole."""
    assert_own_tests_pass(anomalies[1], tmp_path / "package")


def test_anomalies_live_like_any_other_version(anomalies: tuple[Project, Package], tmp_path: Path) -> None:
    """Registered, approved by somebody else, promoted; then the version in production scores, and says why."""
    project, package = anomalies
    version = project.register()
    promote_by_grace(project, version.version)
    said = course_of(project).score(project.root.parent / "rows.csv", tmp_path / "told.parquet")
    told = pl.read_parquet(tmp_path / "told.parquet")
    strange = told.filter(pl.col("prediction_label") == "anomaly")
    scorer = Scorer.load(package)
    otto = Project.open(project.root, env="quick", token=project.tokens().create("otto", ["operator"]))
    empty = otto.monitor()
    watched = otto.monitor(data=project.root.parent / "rows.csv")
    jobs = [state.job for state in otto.schedule.jobs()]
    ticked = {ran.job: ran for ran in otto.schedule.tick().ran}

    assert project.status().production == version.version
    assert project.status().next_step == "modelyard monitor"
    assert said.note.endswith("by version 1")
    assert said.headline.startswith(f"{strange.height} of 300 rows are called anomalies (")
    assert 2 <= strange.height <= 12
    assert (strange["prediction_score"] >= scorer.threshold).all()
    assert strange["prediction_why"].null_count() == 0
    assert (
        told.filter(pl.col("prediction_score") < scorer.threshold)["prediction_why"].null_count()
        == 300 - strange.height
    )
    assert told["prediction_stranger_than"].is_between(0, 1).all()
    assert (empty.verdict, watched.verdict) == (Verdict.NO_DATA, Verdict.QUIET)
    assert (watched.flagged[0].flagged, watched.flagged[0].rows) == (strange.height, 300)
    assert [alert.title for alert in otto.alerts.open()] == ["no data: log"]
    assert jobs == ["tidy", "monitor", "alerts", "review-weekly", "checkpoint"]
    assert not [ran for ran in ticked.values() if ran.outcome.value == "failed"]
    assert "no data" in ticked["monitor"].said
    assert project.page("monitoring").exists()


def test_an_answer_does_not_depend_on_the_door(clusters: tuple[Project, Package], tmp_path: Path) -> None:
    """Rows as requests, a table, a file and MLflow's frame: the same cluster, the same shares as the run's own."""
    project, package = clusters
    frame = blobs(60, seed=3).drop("member")
    scorer = Scorer.load(package)
    scores = scorer.score_frame(frame)
    by_row = scorer.score_rows(frame.to_dicts())
    frame.write_parquet(tmp_path / "new.parquet")
    project.register()
    course_of(project).score(tmp_path / "new.parquet", tmp_path / "told.parquet", version=1)
    told = pl.read_parquet(tmp_path / "told.parquet")
    flat = pd.DataFrame(frame.to_dict(as_series=False))
    by_mlflow = _load_pyfunc(str(package.folder)).predict(flat)
    course = course_of(project)
    assert isinstance(course, RowCourse)
    own = course._model()[0].predict(frame)

    np.testing.assert_allclose(scores, own, atol=1e-9)
    np.testing.assert_allclose(by_row, own, atol=1e-9)
    assert scores.shape == (60, len(scorer.classes))
    assert told["prediction_label"].to_list() == scorer.decide(scores) == by_mlflow["prediction"].tolist()
    np.testing.assert_allclose(told["prediction_probability.2"].to_numpy(), own[:, 1], atol=1e-9)
    np.testing.assert_allclose(by_mlflow["score.2"], own[:, 1], atol=1e-9)


def test_mlflow_gets_label_and_score_of_anomalies(anomalies: tuple[Project, Package]) -> None:
    """As for two classes; the score is in usual deviations."""
    model = _load_pyfunc(str(anomalies[1].folder))
    frame = with_gaps(payments(300)).drop("fraud")
    answer = model.predict(pd.DataFrame(frame.to_dict(as_series=False)))

    assert isinstance(model, PyfuncModel)
    assert list(answer.columns) == ["prediction", "score"]
    assert set(answer["prediction"]) == {"usual", "anomaly"}
    assert answer["score"].max() > 4


def test_reasons_add_up_to_the_score_of_a_row(anomalies: tuple[Project, Package]) -> None:
    """They are of the score, no probability."""
    scorer = Scorer.load(anomalies[1])
    row = next(row.features for row in scorer.golden.rows if row.origin == "far above")
    (reasons,) = scorer.explainer.explain([row])

    assert reasons.scale == "value"
    assert reasons.explained_class == "anomaly"
    assert reasons.raw_score == pytest.approx(scorer.score_rows([row])[0])


def test_rows_that_break_the_contract_are_set_aside(anomalies: tuple[Project, Package], tmp_path: Path) -> None:
    """With the reason, as for every model."""
    project, _ = anomalies
    project.register()
    rows = with_gaps(payments(20)).drop("fraud").with_columns(hour=pl.col("hour").cast(pl.String))
    rows.with_columns(hour=pl.when(pl.int_range(pl.len()) == 4).then(pl.lit("late")).otherwise("hour")).write_csv(
        tmp_path / "new.csv"
    )
    said = course_of(project).score(tmp_path / "new.csv", tmp_path / "told.csv", version=1)

    assert (said.record["scored"], said.record["quarantined"]) == (19, 1)
    assert "1 row is set aside" in said.note
    assert "hour: type" in pl.read_parquet(said.record["quarantine"])["reasons"][0]


def test_nothing_is_packaged_before_an_evaluation_or_without_clusters(tmp_path: Path) -> None:
    """Each says what comes first."""
    course = course_of(
        project_of(tmp_path, payments(120), "anomaly", "fraud", anomaly={"detectors": ["isolation_forest"]})
    )
    with pytest.raises(StateError, match="Run: modelyard train"):
        course.package()
    course.train()
    with pytest.raises(StateError, match=r"the run was not evaluated yet.* Run: modelyard evaluate"):
        course.package()


def test_a_native_form_that_disagrees_is_not_published(
    anomalies: tuple[Project, Package], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build is refused with the difference, and no folder is left."""
    project, _ = anomalies
    course = course_of(Project.open(project.root, env="quick"))
    before = sorted(project.workspace.folder("packages").iterdir())

    def moved(model: Any, *given: Any, **named: Any) -> Any:
        golden = make_golden_set(model, *given, **named)
        first = golden.rows[0]
        wrong = type(first)(first.origin, first.features, (first.expected[0] + 1e-3,))
        return type(golden)(golden.tolerance, (wrong, *golden.rows[1:]))

    monkeypatch.setattr("modelyard.packaging.courses.rows.make_golden_set", moved)
    with pytest.raises(GateRefusedError, match="does not answer as the training pipeline does"):
        course.package()

    assert sorted(project.workspace.folder("packages").iterdir()) == before
    assert Scorer.load(anomalies[1]).task is Task.ANOMALY
