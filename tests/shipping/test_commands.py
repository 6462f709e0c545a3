"""The three commands, on a project with a registered version and on a folder alone."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import ConfigError, NotPermittedError, StateError
from modelyard.core.actor import Actor, ActorSource
from modelyard.governance import Registry, verify_ledger
from modelyard.packaging import Package, load_package
from modelyard.shipping.release import note_shipped
from modelyard.store import Workspace

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))
GRACE = Actor("grace", ActorSource.TOKEN, ("approver",))


@pytest.fixture
def project(package: Package, tmp_path: Path, data_folder: Path) -> Path:
    """A project whose registry holds the package as version 1."""
    source = data_folder / "telco_churn.parquet"
    text = {"name": "telco_churn", "data": {"source": str(source), "target": "Churn"}}
    (tmp_path / "modelyard.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    workspace = Workspace(tmp_path)
    shutil.copytree(package.folder, workspace.folder("packages") / "telco_churn-1")
    Registry(workspace).register(load_package(workspace.folder("packages", "telco_churn-1")), ADA)
    return tmp_path


def run(*words: str | Path) -> Any:
    """The record of a command that must succeed; errors are raised."""
    result = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_a_version_is_shipped_and_the_ledger_says_so(project: Path, package: Package) -> None:
    """Context, bundle and manifests of a registered version; each leaves a row with digest, form and place."""
    context, bundle = project / "context", project / "bundle"
    report = run("image", "1", "--no-build", "--to", context, "--tag", "churn:3", "--project", project)
    run("bundle", "functions", "1", "--to", bundle, "--project", project)
    exported = run("export", "kserve", "1", "--to", project / "k.yaml", "--image", "churn:3", "--project", project)
    rollout = run("export", "argo", "1", "--to", project / "a.yaml", "--project", project)
    ledger = Workspace(project).ledger
    rows = [row for row in ledger.rows() if row.action == "version.shipped"]

    assert (report["tag"], report["builder"], report["rehearsal"]) == ("churn:3", "", None)
    assert load_package(context / "model").manifest.digest == package.manifest.digest
    assert exported["kinds"] == ["InferenceService"]
    assert rollout["kinds"][0] == "Rollout"
    assert [(row.subject, row.details["form"], row.details["place"]) for row in rows] == [
        ("telco_churn/1", "image", str(context)),
        ("telco_churn/1", "functions", str(bundle)),
        ("telco_churn/1", "kserve", str(project / "k.yaml")),
        ("telco_churn/1", "argo", str(project / "a.yaml")),
    ]
    assert {row.details["digest"] for row in rows} == {package.manifest.digest}
    assert verify_ledger(ledger).ok


def test_a_folder_alone_is_shipped_without_a_project(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that came from elsewhere needs no project; without names, files lie in the current folder."""
    monkeypatch.chdir(tmp_path)
    report = run("image", package.folder, "--no-build")
    bundle = run("bundle", "lambda", package.folder)
    exported = run("export", "kubernetes", package.folder, "--replicas", "3", "5")
    *_, autoscaler, _ = yaml.safe_load_all(Path(exported["path"]).read_text(encoding="utf-8"))

    assert (report["folder"], report["tag"]) == ("telco-churn-1-image", "telco-churn:1")
    assert bundle["folder"] == "telco-churn-1-lambda"
    assert (exported["path"], exported["image"]) == ("telco-churn-1-kubernetes.yaml", "telco-churn:1")
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (3, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "telco-churn-1-image",
        "telco-churn-1-kubernetes.yaml",
        "telco-churn-1-lambda",
    ]


def test_people_are_told_what_to_do_next(package: Package, tmp_path: Path) -> None:
    """Each view ends with the step that follows."""
    said = [
        CliRunner().invoke(app, [*words, str(package.folder), *rest], env={"COLUMNS": "400"}).output
        for words, rest in (
            (["image"], ["--no-build", "--to", str(tmp_path / "a")]),
            (["bundle", "lambda"], ["--to", str(tmp_path / "b")]),
            (["export", "kubernetes"], ["--to", str(tmp_path / "c.yaml")]),
        )
    ]

    image, bundle, manifests = ("".join(text.split()) for text in said)  # long paths break lines

    assert f"dockerbuild-f{tmp_path}/a/Containerfile-ttelco-churn:1" in image
    assert "pushit,andcreatethefunctionfromit" in bundle
    assert f"kubectlapply-f{tmp_path}/c.yaml" in manifests


def test_what_must_not_leave_is_refused(project: Path, package: Package) -> None:
    """Nothing in production, a rejected version, and an actor without the right; no file appears."""
    to = project / "context"
    with pytest.raises(StateError, match="no version is in production"):
        run("image", "--no-build", "--to", to, "--project", project)
    Registry(Workspace(project)).reject("telco_churn", 1, GRACE, "a test")
    with pytest.raises(StateError, match="a version that is rejected is not shipped"):
        run("image", "1", "--no-build", "--to", to, "--project", project)
    with pytest.raises(NotPermittedError):
        note_shipped(Workspace(project), GRACE, package, "image", "there")
    with pytest.raises(ConfigError, match="Choose one of: kubernetes, kserve"):
        run("export", "nomad", package.folder)
    assert not to.exists()
