"""Verification: whatever is planted is found and named; a clean package stays quiet."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.archives import unpack
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import ConfigError, IntegrityError, digest_file, digest_json
from modelyard.packaging.verification import Outcome, Verification, verify_package

KEPT = Path(__file__).parents[1] / "data" / "packages" / "protocol-1.tar.gz"
LATER = {"parity", "signature", "mlmodel", "card"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package that a test may damage."""
    unpack(KEPT, tmp_path / "package")
    return tmp_path / "package"


def _seal(folder: Path) -> None:
    """What somebody would do who changes files and does not want to be noticed."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {
        path.relative_to(folder).as_posix(): digest_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    manifest.pop("digest")
    (folder / "manifest.json").write_text(json.dumps({**manifest, "digest": digest_json(manifest)}))


def _json(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    """Change a JSON file."""

    def damage(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return damage


def _yaml(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    """Change a YAML file."""

    def damage(folder: Path) -> None:
        content = yaml.safe_load((folder / name).read_text())
        change(content)
        (folder / name).write_text(yaml.safe_dump(content))

    return damage


def _other_leaf(folder: Path) -> None:
    """One digit of one leaf; LightGBM's text counts its own bytes, so there are as many as before."""
    path = folder / "model" / "lightgbm.txt"
    digit = re.compile(r"(leaf_value=-?0\.)(\d)")
    path.write_text(digit.sub(lambda found: found[1] + str((int(found[2]) + 5) % 10), path.read_text(), count=1))


def _details(result: Verification, name: str) -> str:
    return "; ".join(result.check(name).details)


def test_a_clean_package_stays_quiet(folder: Path) -> None:
    """Every check passes; the card names the fields that nobody has filled in."""
    result = verify_package(folder)

    assert result.ok
    assert [check.name for check in result.checks] == ["files", "digest", "parity", "signature", "mlmodel", "card"]
    assert [check.name for check in result.checks if check.outcome is not Outcome.PASSED] == ["card"]
    assert result.check("card").outcome is Outcome.INCOMPLETE
    assert {"use: users", "data: collection"} <= set(result.check("card").details)
    assert "identity: owner" not in result.check("card").details


def test_a_package_that_was_just_built_is_whole(churn_package: Any) -> None:
    """So is one of today, whose card lacks less."""
    result = verify_package(churn_package.folder, digest=churn_package.manifest.digest)

    assert result.ok
    assert not {"use: users", "identity: owner", "performance: costs"} & set(result.check("card").details)


def test_missing_added_and_changed_files_are_all_named(folder: Path) -> None:
    """At once, each by its name; and the model is not run."""
    (folder / "golden.json").unlink()
    (folder / "model" / "extra.py").write_text("print('hello')")
    (folder / "plan.json").write_text("{}")
    (folder / "card.md").unlink()
    (folder / "card.md").symlink_to(folder / "card.html")

    result = verify_package(folder)

    assert not result.ok
    assert set(result.check("files").details) == {
        "golden.json is missing",
        "model/extra.py is not in the manifest",
        "plan.json has changed",
        "card.md is no plain file",
    }
    assert {check.name for check in result.checks if check.outcome is Outcome.SKIPPED} == LATER


def test_a_changed_manifest_is_found(folder: Path) -> None:
    """Its digest covers every field of it."""
    _json("manifest.json", lambda content: content.update(author="mallory"))(folder)

    result = verify_package(folder)

    assert "manifest.json is not what was packaged" in _details(result, "digest")
    assert result.check("parity").outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    ("wanted", "ok"), [(None, True), ("real", True), ("begins", True), ("other", False), ("", False)]
)
def test_the_package_is_held_against_a_digest_from_elsewhere(folder: Path, wanted: str | None, ok: bool) -> None:
    """A package in which everything was exchanged, digests too, is told from the real one by the registry's digest."""
    digest = json.loads((folder / "manifest.json").read_text())["digest"]
    asked = {"real": digest, "begins": digest[:12].upper(), "other": "0" * 64, None: None, "": ""}[wanted]

    assert verify_package(folder, digest=asked).ok is ok


DAMAGES: Mapping[str, tuple[Callable[[Path], object], str, str]] = {
    "an answer": (
        _json("golden.json", lambda golden: golden["rows"][3].update(expected=[0.123])),
        "parity",
        "where 1e-09 is allowed",
    ),
    "a leaf of a tree": (
        _other_leaf,
        "parity",
        "golden rows, where",
    ),
    "no golden rows": (_json("golden.json", lambda golden: golden.update(rows=[])), "signature", "holds no rows"),
    "an unreadable plan": (lambda folder: (folder / "plan.json").write_text("[]"), "parity", ""),
    "a column of the contract": (
        _json("contract.json", lambda contract: contract["columns"].pop()),
        "signature",
        "which the contract does not name",
    ),
    "a column of MLflow's signature": (
        _yaml("MLmodel", lambda content: content["signature"].update(inputs="[]")),
        "signature",
        "MLmodel's signature asks for not Contract",
    ),
    "a type of MLflow's signature": (
        _yaml(
            "MLmodel",
            lambda content: content["signature"].update(
                inputs=content["signature"]["inputs"].replace('"any"', '"double"')
            ),
        ),
        "signature",
        "of type double; the contract says numeric",
    ),
    "outputs of MLflow's signature": (
        _yaml("MLmodel", lambda content: content["signature"].update(outputs="[]")),
        "signature",
        "other outputs",
    ),
    "the loader": (
        _yaml("MLmodel", lambda content: content["flavors"]["python_function"].update(loader_module="evil")),
        "mlmodel",
        "loader_module is 'evil'",
    ),
    "code beside the loader": (
        _yaml("MLmodel", lambda content: content["flavors"]["python_function"].update(code="code")),
        "mlmodel",
        "MLmodel's code is 'code'",
    ),
    "the protocol": (
        _yaml("MLmodel", lambda content: content["flavors"]["modelyard"].update(protocol=77)),
        "mlmodel",
        "protocol is 77",
    ),
    "the time": (
        _yaml("MLmodel", lambda content: content.update(utc_time_created="2001-01-01 00:00:00.0")),
        "mlmodel",
        "made at 2001",
    ),
    "the task": (
        _yaml("MLmodel", lambda content: content["metadata"].update(task="regression")),
        "mlmodel",
        "task is regression",
    ),
    "the kinds": (
        _yaml("MLmodel", lambda content: content["metadata"].update(kinds={})),
        "mlmodel",
        "kinds of columns",
    ),
    "the requirements": (
        lambda folder: (folder / "requirements.txt").write_text("evil==1.0\n"),
        "mlmodel",
        "requirements.txt does not name",
    ),
    "conda's requirements": (
        _yaml("conda.yaml", lambda content: content.update(dependencies=[{"pip": ["evil==1.0"]}])),
        "mlmodel",
        "conda.yaml does not name",
    ),
    "an MLmodel that is no YAML": (lambda folder: (folder / "MLmodel").write_text("a: ["), "mlmodel", "ParserError"),
    "an MLmodel of other things": (
        lambda folder: (folder / "MLmodel").write_text("flavors: 3"),
        "mlmodel",
        "TypeError",
    ),
    "another model's card": (
        _json("card.json", lambda card: card["identity"].update(run_id="another")),
        "card",
        "the card's run_id is 'another'",
    ),
    "a card without limits": (
        _json("card.json", lambda card: card.pop("limitations")),
        "card",
        "no section limitations",
    ),
    "a card that hides a gap": (
        _json("card.json", lambda card: card.update(not_provided=[])),
        "card",
        "use: users is empty, and the card does not say so",
    ),
    "no card for people": (lambda folder: (folder / "card.md").unlink(), "card", "card.md is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_changed_and_sealed_again_is_still_found(folder: Path, damage: str) -> None:
    """Digests that were computed anew hide no contradiction between what the files say."""
    change, check, words = DAMAGES[damage]
    change(folder)
    _seal(folder)

    result = verify_package(folder)

    assert result.check("files").outcome is result.check("digest").outcome is Outcome.PASSED
    assert not result.ok
    assert result.check(check).outcome is Outcome.FAILED
    assert words in _details(result, check)


def test_no_package_is_an_error(tmp_path: Path) -> None:
    """There is nothing to verify."""
    with pytest.raises(IntegrityError, match="there is no package"):
        verify_package(tmp_path)


def _command(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["package", *map(str, arguments)])


def test_the_command_needs_no_project(folder: Path) -> None:
    """Anybody with the folder can verify it: 0 and the checks, or 3 and what is wrong."""
    done = _command("verify", folder, "--json")
    record = json.loads(done.stdout)

    assert (done.exit_code, record["ok"]) == (0, True)
    assert [check["outcome"] for check in record["checks"]] == ["passed"] * 5 + ["incomplete"]

    (folder / "plan.json").unlink()
    done = _command("verify", folder)

    assert done.exit_code == 3
    assert "plan.json is missing" in done.stdout
    assert "must not be used" in done.stdout


def test_the_command_knows_its_words(folder: Path) -> None:
    """An action that there is not, and one without its folder, are usage errors."""
    errors = [_command(*words).exception for words in (("verfy", folder), ("verify",), ("build", folder))]

    assert all(isinstance(error, ConfigError) for error in errors)
    assert errors[0].cure == "Did you mean 'verify'?"
    assert "package verify PATH" in errors[1].cure
