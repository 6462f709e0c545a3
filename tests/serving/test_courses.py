"""Anomalies and clusters are served by the same contract as everything else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.courses.test_rows import course_of, project_of
from tests.unsupervised.conftest import blobs, payments

from modelyard.serving import read_predictions

Ask = Callable[..., Any]


def packaged(folder: Path, task: str, **plan: Any) -> Path:
    """The folder of a package without a target."""
    rows = payments(200).drop("fraud") if task == "anomaly" else blobs(200).drop("member")
    course = course_of(project_of(folder, rows, task, **plan))
    course.train()
    course.evaluate()
    return course.package().folder


def test_anomalies_are_served(serve: Ask, ask: Ask, tmp_path: Path) -> None:
    """A score in usual deviations, a label by the threshold, a line in the log; people say later what it was."""
    folder = packaged(tmp_path, "anomaly", anomaly={"contamination": 0.02, "detectors": ["isolation_forest"]})
    app = serve(folder)
    scorer = app.endpoint.active.scorer
    usual = {"payment": "p1", "amount": 20.0, "hour": 12, "country": "NL"}
    strange = {**usual, "amount": 5_000.0, "hour": 3}
    answers = ask(app, "POST", "/predict", [usual, strange]).json()["predictions"]
    logged = read_predictions(app.settings.log_folder)

    assert [answer["label"] for answer in answers] == ["usual", "anomaly"]
    assert [answer["score"] for answer in answers] == scorer.score_rows([usual, strange]).tolist()
    assert answers[1]["score"] >= scorer.threshold > answers[0]["score"]
    assert logged["label"].to_list() == ["usual", "anomaly"]
    assert ask(app, "POST", "/predict", {**usual, "hour": "late"}).status == 422
    assert ask(app, "POST", "/feedback", {"id": answers[1]["id"], "label": "anomaly"}).status == 200
    assert ask(app, "POST", "/feedback", {"id": answers[1]["id"], "label": "fraud"}).status == 422
    assert ask(app, "GET", "/openapi.json").status == 200


def test_clusters_are_served(serve: Ask, ask: Ask, tmp_path: Path) -> None:
    """The number of the cluster, and how far a row belongs to each."""
    folder = packaged(tmp_path, "clustering", clustering={"most": 3, "repeats": 5, "methods": ["kmeans"]})
    app = serve(folder)
    row = blobs(5, seed=2).drop("member").to_dicts()[0]
    answer = ask(app, "POST", "/predict", row).json()
    tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in row.items()]
    inferred = ask(app, "POST", f"/v2/models/{app.endpoint.active.name}/infer", {"inputs": tensors}).json()
    outputs = {output["name"]: output["data"] for output in inferred["outputs"]}

    assert list(answer["probabilities"]) == ["1", "2", "3"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1.0)
    assert answer["score"] == answer["probabilities"][answer["label"]]
    assert outputs["label"] == [answer["label"]]
    assert outputs["probabilities"] == pytest.approx(list(answer["probabilities"].values()))
    assert ask(app, "GET", "/openapi.json").status == 200
