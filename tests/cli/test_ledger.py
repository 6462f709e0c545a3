"""The command `ledger`: sign, renew and share, by the sentences and exit codes that people see."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from tests.data_room.servers import PASSWORD
from tests.shared_store import databases
from typer.testing import CliRunner, Result

from modelyard.cli.app import app
from modelyard.core import ModelyardError, StateError
from modelyard.project import Project


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An empty database's address, as a project file would hold it."""
    with databases() as make:
        yield make().replace(PASSWORD, "${YARD_PASSWORD}")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is new, and a place for this machine's key."""
    monkeypatch.setenv("YARD_PASSWORD", PASSWORD)
    monkeypatch.setenv("MODELYARD_SIGNING_KEY", str(tmp_path / "signing.pem"))
    pl.DataFrame({"x": list(range(60)), "y": [0, 1] * 30}).write_csv(tmp_path / "t.csv")
    Project.new(tmp_path / "model", data=tmp_path / "t.csv", target="y")
    return tmp_path / "model"


def call(root: Path, *arguments: str) -> Result:
    """The command on the project; an error that is meant passes through."""
    result = CliRunner().invoke(app, ["ledger", *arguments, "--project", str(root), "--json"])
    if isinstance(result.exception, ModelyardError):
        raise result.exception
    return result


def test_a_key_is_made_once_and_signs(root: Path) -> None:
    """The second call shows the same key; a checkpoint is kept, and verified with the chain."""
    Project.open(root).ledger().append(Project.open(root).actor, "thing.done", "x")
    first, second = (json.loads(call(root, "key").stdout) for _ in range(2))
    places = ("--set", "store.checkpoints.to=[ledger.checkpoints]")
    signed = json.loads(call(root, "checkpoint", *places).stdout)
    verified = call(root, "verify", *places)

    assert (first["is_new"], second["is_new"], first["public"]) == (True, False, second["public"])
    assert len(first["public"]) == 64
    assert signed["sequence"] == json.loads((root / "ledger.checkpoints").read_text(encoding="utf-8"))["sequence"]
    assert (verified.exit_code, json.loads(verified.stdout)["checkpoints"]) == (0, 1)


def test_a_lost_head_is_renewed_loudly(root: Path) -> None:
    """With a reason, by an admin; without need it is refused."""
    project = Project.open(root)
    project.ledger().append(project.actor, "thing.done", "x")
    (root / ".modelyard" / "ledger.head").unlink()

    assert call(root, "verify").exit_code == 3
    with pytest.raises(StateError, match="a reason is needed"):
        call(root, "renew")
    assert json.loads(call(root, "renew", "--reason", "the disk lost it").stdout)["action"] == "ledger.head_renewed"
    assert call(root, "verify").exit_code == 0
    with pytest.raises(StateError, match="needs no renewal"):
        call(root, "renew", "--reason", "again")


def test_a_project_comes_to_a_shared_store(root: Path, server: str) -> None:
    """Named in the project file; brought there by one command; verified there."""
    project = Project.open(root)
    project.ledger().append(project.actor, "thing.done", "x")
    rows = project.ledger().length()
    with (root / "modelyard.yaml").open("a", encoding="utf-8") as stream:
        stream.write(f"\nstore:\n  address: {server}\n")
    with pytest.raises(StateError, match=r"names a shared store; .*modelyard ledger share"):
        call(root, "verify")

    shared = json.loads(call(root, "share").stdout)
    verified = json.loads(call(root, "verify").stdout)

    assert (shared["rows"], shared["is_moved"]) == (rows, True)
    assert (verified["ok"], verified["rows"]) == (True, rows + 1)
    assert not (root / ".modelyard" / "ledger.db").exists()
    with pytest.raises(StateError, match="there is no history to share"):
        call(root, "share")


def test_an_unknown_action_is_named(root: Path) -> None:
    """With what was probably meant."""
    with pytest.raises(ModelyardError, match="Did you mean 'verify'"):
        call(root, "verfy")
