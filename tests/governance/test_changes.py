"""The change log between two versions."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import Actor, ConfigError, StateError, digest_file
from modelyard.data import store_version
from modelyard.governance import Registry
from modelyard.oversight.change_page import markdown, said
from modelyard.oversight.changes import VersionChanges, changes_between, versions_meant
from modelyard.packaging import load_package
from modelyard.problem import Problem
from modelyard.problem.schema import Policy
from modelyard.store import Workspace

Office = Any
PROBLEM = Problem.model_validate({"name": "churn", "data": {"source": "x.csv", "target": "Churn", "time": "day"}})
LENIENT = Policy.model_validate({"gates": {"tests": False}})
"""The packages here are edited, which the gate of the tests would find."""


def edited(package: Path, card: dict[str, Any], contract: dict[str, Any]) -> None:
    """Seal a package anew with another card and contract, as another training would have built it."""
    for name, content in (("card.json", card), ("contract.json", contract)):
        (package / name).chmod(0o644)
        (package / name).write_text(json.dumps(content), encoding="utf-8")
    manifest = load_manifest(package)
    files = {**manifest.files, **{name: digest_file(package / name) for name in ("card.json", "contract.json")}}
    (package / "manifest.json").chmod(0o644)
    sealed = dataclasses.replace(manifest, files=files).sealed()
    (package / "manifest.json").write_text(json.dumps(sealed.to_dict()), encoding="utf-8")


def load_manifest(package: Path) -> Any:
    """The manifest as it lies there."""
    from modelyard.packaging.package import read_manifest

    return read_manifest(package)


@pytest.fixture
def changed(office: Office, ada: Actor, bob: Actor) -> Workspace:
    """Version 1 in production; version 2 with another window of rows, feature, parameter, figure, threshold and commit."""
    workspace: Workspace = office.workspace
    days = [store_version(pl.DataFrame({"day": days}), "x.csv", workspace).id for days in ([1, 5], [3, 9])]
    for number, day in enumerate(days, start=1):
        folder = workspace.folder("packages", f"churn-{number}")
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        contract = json.loads((folder / "contract.json").read_text(encoding="utf-8"))
        card["data"]["dataset_id"] = day
        winner = next(item for item in card["performance"]["validation"] if item["name"] == "winner")
        winner["metrics"] = [figure("roc_auc", 0.80, 0.78), figure("log_loss", 0.5, 0.48, rises=False)]
        if number == 2:
            winner["metrics"] = [
                figure("roc_auc", 0.79, 0.77),
                figure("log_loss", 0.40, 0.38, rises=False),
                figure("f1", 0.6, 0.5),
            ]
            change_version(card, contract)
        edited(folder, card, contract)
        office.registry.register(load_package(folder), ada)
    office.registry.approve("churn", 1, bob, "looks well", LENIENT)
    office.registry.promote("churn", 1, ada, LENIENT, "grace")
    office.registry.approve("churn", 2, bob, "better | cheaper", LENIENT, ["shadow for 7 days"])
    return workspace


def figure(name: str, value: float, low: float, *, rises: bool = True) -> dict[str, Any]:
    """A metric with an interval that is even on both sides."""
    return {"name": name, "value": value, "low": low, "high": 2 * value - low, "greater_is_better": rises}


def change_version(card: dict[str, Any], contract: dict[str, Any]) -> None:
    """What another training would have changed."""
    card["data"]["train_rows"] += 50
    card["data"]["features"] = [entry for entry in card["data"]["features"] if entry["column"] != "tenure"]
    contract["columns"] = [column for column in contract["columns"] if column["name"] != "tenure"]
    card["method"]["params"]["c"] = 0.25
    card["performance"]["threshold"]["value"] = 0.31
    card["performance"]["disparities"] = [
        {"column": "gender", "measure": "true positive rate", "gap": 0.07, "lowest": "Male", "highest": "Female"}
    ]
    card["identity"]["code_commit"] = "c0ffee"
    card["use"]["users"] = "the retention team"


@pytest.fixture
def found(changed: Workspace) -> VersionChanges:
    """What differs."""
    return changes_between(changed, PROBLEM, 1, 2)


def test_everything_that_differs_is_told(found: VersionChanges) -> None:
    """Window, rows, schema, features, parameters, threshold, groups and commit, each with both values; nothing else."""
    told = {(item.section, item.what): (item.before, item.after) for item in found.changes}

    assert told[("data", "window")] == ("1 to 5", "3 to 9")
    assert told[("data", "train rows")][1] - told[("data", "train rows")][0] == 50
    assert told[("data", "column tenure")] == ("numeric", None)
    assert [key for key in told if key[0] == "features"] == [("features", "tenure")]
    assert told[("method", "c")][1] == 0.25
    assert told[("threshold", "threshold")][1] == 0.31
    assert told[("groups", "true positive rate by gender")] == (None, 0.07)
    assert told[("code", "commit")][1] == "c0ffee"
    assert told[("card", "users")] == ("", "the retention team")
    assert {section for section, _ in told} == {"data", "features", "method", "threshold", "groups", "code", "card"}


def test_figures_have_intervals_and_a_careful_verdict(found: VersionChanges) -> None:
    """Overlapping intervals say nothing; a smaller loss is better; what one version lacks is not compared."""
    figures = {item.metric: item for item in found.figures}

    assert figures["roc_auc"].before == pytest.approx((0.80, 0.78, 0.82))
    assert {name: item.verdict for name, item in figures.items()} == {
        "roc_auc": "within the intervals",
        "log_loss": "better",
        "f1": "not comparable",
    }
    assert figures["f1"].measured_on == ("validation", "validation")


def test_backwards_is_worse(changed: Workspace) -> None:
    """The same two versions the other way round."""
    back = {item.metric: item.verdict for item in changes_between(changed, PROBLEM, 2, 1).figures}

    assert back["log_loss"] == "worse"


def test_a_window_needs_its_rows(changed: Workspace) -> None:
    """Where the data version is not stored any more, or there is no time, nothing is claimed."""
    shutil.rmtree(changed.folder("datasets"))
    timeless = PROBLEM.with_values(data={"source": "x.csv", "target": "Churn"})
    for problem in (PROBLEM, timeless):
        assert "window" not in [item.what for item in changes_between(changed, problem, 1, 2).changes]


def test_markdown_holds_it_all(found: VersionChanges) -> None:
    """Tables that no value can break, approvals with their conditions; and the record goes to JSON and back."""
    text = markdown(found)

    assert text.startswith("# churn: version 1 → 2\n")
    assert "| log_loss | 0.5000 [0.4800, 0.5200] | 0.4000 [0.3800, 0.4200] | better |" in text
    assert "| column tenure | numeric | – |" in text
    assert "bob: better | cheaper. Conditions: shadow 7d." in text
    assert VersionChanges.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert said("a\nb" * 100) == said("a b" * 100)
    assert len(said("x" * 500)) == 80


def test_which_versions_are_meant(changed: Workspace, ada: Actor) -> None:
    """Production against the newest; without that the last two; never one against itself."""
    registry = Registry(changed)

    assert versions_meant(registry, "churn", None, None) == (1, 2)
    assert versions_meant(registry, "churn", 2, 1) == (2, 1)
    registry.promote("churn", 2, ada, LENIENT, "grace", "past the condition")
    assert versions_meant(registry, "churn", None, None) == (1, 2)
    with pytest.raises(ConfigError, match="does not differ from itself"):
        versions_meant(registry, "churn", 2, 2)
    with pytest.raises(StateError, match="no two versions"):
        versions_meant(registry, "fraud", None, None)


def test_the_command_writes_markdown(changed: Workspace, tmp_path: Path) -> None:
    """The picture in the terminal, the whole in a file."""
    (changed.root / "modelyard.yaml").write_text(json.dumps(PROBLEM.model_dump(mode="json")), encoding="utf-8")
    result = CliRunner().invoke(app, ["changes", "-p", str(changed.root), "--out", str(tmp_path / "changes.md")])

    assert result.exit_code == 0, result.exception
    assert "log_loss" in result.stdout
    assert (tmp_path / "changes.md").read_text(encoding="utf-8").count("\n## ") == 9
