"""MLflow's own client reads back what the mirror shows, and what was changed there by hand is found and mended."""

import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.archives import unpack

from modelyard import Project
from modelyard.adapters.mlflow_registry import MlflowCatalogue, catalogue_of
from modelyard.core import Actor, ConfigError, MissingExtraError, NotPermittedError
from modelyard.core.actor import ActorSource
from modelyard.governance import Registry
from modelyard.oversight.mirroring import Mirrored, mirror
from modelyard.oversight.mirroring.mirror import MIRRORED
from modelyard.packaging import load_package
from modelyard.problem import Problem
from modelyard.problem.schema import Policy
from modelyard.store import Workspace

OLD = Path(__file__).parents[1] / "data" / "packages" / "protocol-1.tar.gz"
BY = Actor("ada", ActorSource.OS_USER, ("developer", "operator"))
APPROVER = Actor("bob", ActorSource.TOKEN, ("approver",))


@pytest.fixture(autouse=True)
def _vendor_warnings() -> Iterator[None]:
    """MLflow's own deprecations are not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Shelf:
    """A registry with one version in production, and a mirror of it."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)
        unpack(OLD, folder / "unpacked")
        (manifest,) = (folder / "unpacked").rglob("manifest.json")
        place = self.workspace.folder("packages", "one")
        shutil.copytree(manifest.parent, place)
        self.package = load_package(place)
        self.name = self.package.manifest.name
        content = {"name": self.name, "owner": "grace", "data": {"source": "x.csv", "target": "Churn"}}
        self.problem = Problem.model_validate({**content, "policy": {"gates": {"tests": False}}})
        self.registry = Registry(self.workspace)
        self.registry.register(self.package, BY)
        self.catalogue = MlflowCatalogue(folder / "store", self.name)
        self.client: Any = self.catalogue._client

    def mirror(self, *, check: bool = False) -> Mirrored:
        """Mirror, or look."""
        return mirror(self.problem, self.workspace, BY, self.catalogue, check=check)

    def release(self) -> None:
        """Approve and promote."""
        policy: Policy = self.problem.policy
        self.registry.approve(self.name, 1, APPROVER, "well", policy)
        self.registry.promote(self.name, 1, BY, policy, "grace")

    def version(self) -> Any:
        """MLflow's newest version."""
        found = self.client.search_model_versions(f"name = '{self.name}'")
        return max(found, key=lambda item: int(item.version))

    def aliases(self) -> dict[str, str]:
        """MLflow's aliases."""
        return dict(self.client.get_registered_model(self.name).aliases)


def _what(found: Mirrored) -> dict[str, tuple[str, str, bool]]:
    return {item.what: (item.wanted, item.found, item.by_hand) for item in found.differences}


@pytest.mark.slow
def test_the_mirror_is_written_once_and_follows(tmp_path: Path) -> None:
    """A second run changes nothing; what the ledger did since is behind, not by hand; MLflow's loader answers by the alias."""
    shelf = Shelf(tmp_path)
    first, second = shelf.mirror(), shelf.mirror()
    before = shelf.version()
    aliases = shelf.aliases()
    shelf.release()
    behind, third, fourth = shelf.mirror(check=True), shelf.mirror(), shelf.mirror()
    tags = shelf.version().tags
    rows = shelf.workspace.ledger.rows(action=MIRRORED)

    assert (first.written, first.drift, second.differences) == (True, (), ())
    assert before.tags["modelyard.stage"] == "candidate"
    assert aliases == {"challenger": before.version}
    assert (len(behind.differences), behind.drift) == (4, ())
    assert _what(third) == _what(behind)
    assert fourth.differences == ()
    assert shelf.aliases() == {"champion": before.version}
    assert (tags["modelyard.stage"], tags["modelyard.digest"]) == ("production", shelf.package.manifest.digest)
    assert tags["modelyard.approvals"].startswith("bob ")
    assert len(rows) == 2


@pytest.mark.slow
def test_what_was_changed_by_hand_is_found_and_mended(tmp_path: Path) -> None:
    """An alias moved, tags edited, removed and added, a description; each is named, mended, and in the ledger."""
    shelf = Shelf(tmp_path)
    shelf.release()
    shelf.mirror()
    mlflow_number = shelf.version().version
    foreign = shelf.client.create_model_version(shelf.name, str(tmp_path))
    shelf.client.set_registered_model_alias(shelf.name, "champion", foreign.version)
    shelf.client.set_registered_model_alias(shelf.name, "shadow", mlflow_number)
    shelf.client.set_registered_model_alias(shelf.name, "theirs", mlflow_number)
    shelf.client.set_model_version_tag(shelf.name, mlflow_number, "modelyard.stage", "retired")
    shelf.client.set_model_version_tag(shelf.name, mlflow_number, "modelyard.mine", "x")
    shelf.client.set_model_version_tag(shelf.name, mlflow_number, "theirs", "x")
    shelf.client.delete_model_version_tag(shelf.name, mlflow_number, "modelyard.tier")
    found, again, mended, after = shelf.mirror(check=True), shelf.mirror(check=True), shelf.mirror(), shelf.mirror()
    row = shelf.workspace.ledger.rows(action=MIRRORED)[-1]
    tags = shelf.client.get_model_version(shelf.name, mlflow_number).tags

    assert _what(found) == {
        "alias champion": ("1", "a version that is not ours", True),
        "alias shadow": ("", "1", True),
        f"{shelf.name}/1: tag modelyard.stage": ("production", "retired", True),
        f"{shelf.name}/1: tag modelyard.mine": ("", "x", True),
        f"{shelf.name}/1: tag modelyard.tier": ("low", "", True),
    }
    assert found.differences == again.differences == mended.differences
    assert after.differences == ()
    assert shelf.aliases() == {"champion": mlflow_number, "theirs": mlflow_number}
    assert tags["theirs"] == "x"
    assert [item["what"] for item in row.details["differences"]] == list(_what(found))


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["deleted", "other bytes", "one more file"])
def test_a_version_that_is_gone_or_has_other_bytes_comes_back(tmp_path: Path, harm: str) -> None:
    """Under another number of MLflow's, with the alias, whole; MLflow's own loader predicts with it."""
    import mlflow

    shelf = Shelf(tmp_path)
    shelf.release()
    shelf.mirror()
    version = shelf.version()
    folder = Path(version.source.removeprefix("file://"))
    if harm == "deleted":
        shelf.client.delete_model_version(shelf.name, version.version)
    elif harm == "other bytes":
        (folder / "card.md").write_text("better", encoding="utf-8")
    else:
        (folder / "more.txt").write_text("x", encoding="utf-8")
    found, mended, after = shelf.mirror(check=True), shelf.mirror(), shelf.mirror()
    place = shelf.aliases()["champion"]
    source = shelf.client.get_model_version(shelf.name, place).source
    bytes_there = load_package(source.removeprefix("file://"))
    mlflow.set_tracking_uri(shelf.catalogue._uri)
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/{shelf.name}@champion")
    finally:
        mlflow.set_tracking_uri(None)

    assert (f"{shelf.name}/1: package" in _what(found)) is True
    assert all(item.by_hand for item in found.differences)
    assert mended.differences == found.differences
    assert after.differences == ()
    assert int(place) > int(version.version)
    assert bytes_there.manifest.digest == shelf.package.manifest.digest
    assert loaded.metadata is not None


def test_a_check_writes_nothing_and_a_mirror_asks_who(tmp_path: Path) -> None:
    """A viewer may look; to write needs the right to export."""
    shelf = Shelf(tmp_path)
    viewer = Actor("eve", ActorSource.TOKEN, ("viewer",))
    looked = mirror(shelf.problem, shelf.workspace, viewer, shelf.catalogue, check=True)
    with pytest.raises(NotPermittedError, match="eve may not export"):
        mirror(shelf.problem, shelf.workspace, viewer, shelf.catalogue)

    assert (looked.written, looked.drift, looked.versions) == (False, (), 1)
    assert f"{shelf.name}/1: package" in _what(looked)
    assert shelf.client.search_registered_models() == []
    assert shelf.workspace.ledger.rows(action=MIRRORED) == ()


def test_a_project_without_mlflow_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project file names it; and without the package the error gives the line that installs it."""
    (tmp_path / "modelyard.yaml").write_text("data: {source: x.csv, target: y}\nname: a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"names no MLflow; got local\. Set tracking\.backend: mlflow"):
        catalogue_of(Project.open(tmp_path))
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[mlflow\]'"):
        catalogue_of(Project.open(tmp_path, settings=("tracking.backend=mlflow",)))
