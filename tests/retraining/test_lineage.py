"""A challenger's lineage, although its training and its package have no rows of their own in the ledger."""

import json
from pathlib import Path

import pytest
from tests.retraining.conftest import Plant

pytestmark = pytest.mark.slow


def test_a_challenger_is_followed_back_to_its_new_rows(plant: Plant, tmp_path: Path) -> None:
    """Through its package, run, enlarged split and data to the version that it challenges; a rollout that ends is a run, too."""
    project = plant.open()
    decision = project.retrain(plant.table(plant.new[:900]))
    project.approve(2, "better")
    project.rollouts.begin(2)
    project.rollouts.abort("second thoughts")
    project.rollouts.begin(2)
    project.workspace.ledger.append(project.actor, "serving.started", "churn/1", {"host": "127.0.0.1", "port": 1})
    found, before = project.oversight.lineage(2), project.oversight.lineage(1)
    path = tmp_path / "lineage.jsonl"
    project.oversight.openlineage(file=path)
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    made = [(link.job, str(link.thing.kind)) for link in found.made_from if link.thing]
    grown = next(link for link in found.made_from if link.job == "collect" and link.given[0].kind == "data")
    nested = {
        event["job"]["name"]: event["run"]["facets"]["parent"]["job"]["name"]
        for event in events
        if "parent" in event["run"]["facets"]
    }
    rollouts = [event["eventType"] for event in events if event["job"]["name"] == "deploy"]
    (serving,) = [event for event in events if event["job"]["name"] == "serve"]
    (retrained,) = [event for event in events if (event["job"]["name"], event["eventType"]) == ("retrain", "COMPLETE")]

    assert decision.has_challenger
    assert {("train", "run"), ("evaluate", "evaluation"), ("package", "package"), ("register", "model")} <= set(made)
    assert made[0] == ("collect", "data")
    assert grown.given[0].id == found.made_from[0].thing.id if found.made_from[0].thing else False
    assert before.successors == ("churn/2",)
    assert nested == {"train": "retrain", "evaluate": "retrain", "package": "retrain"}
    assert sorted(rollouts) == ["FAIL", "START", "START"]
    assert (serving["eventType"], serving["job"]["facets"]["jobType"]["processingType"]) == ("START", "SERVICE")
    assert {item["name"] for item in retrained["outputs"]} == {"run", "model"}
    assert any(item["name"].endswith("new.parquet") for item in retrained["inputs"])
