"""What a version came from, and what came of it."""

import json
from pathlib import Path

import pytest
from tests.governance.lineage.conftest import SETTINGS, Life
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.oversight.lineage.records import Link, VersionLineage


@pytest.fixture(scope="module")
def found(lived: Life) -> VersionLineage:
    """The lineage of the version in production."""
    return lived.open().oversight.lineage()


def told(links: tuple[Link, ...]) -> list[tuple[str, str]]:
    """Step and kind."""
    return [(link.job, str(link.thing.kind) if link.thing else "") for link in links]


def test_a_version_is_followed_back_to_its_source(lived: Life, found: VersionLineage) -> None:
    """Every step in order, each with what its record knows."""
    says = {str(link.thing.kind): link.says for link in found.made_from if link.thing}
    digest = lived.open().workspace.pointer("package")

    assert told(found.made_from) == [
        ("collect", "data"),
        ("split", "split.train"),
        ("split", "split.validation"),
        ("split", "split.test"),
        ("train", "run"),
        ("evaluate", "evaluation"),
        ("evaluate", "evaluation"),
        ("package", "package"),
        ("register", "model"),
    ]
    assert found.made_from[0].given[0].id.endswith("churn.parquet")
    assert says["data"].startswith("400 rows, 21 columns, content ")
    assert says["split.test"].endswith("opened 1 times")
    assert says["run"].startswith("winner linear, ")
    assert digest is not None
    assert (found.subject, found.stage, found.intact) == ("churn/1", "production", "")
    assert found.environment["python"].startswith("3.")


def test_what_became_of_it_is_told_too(found: VersionLineage) -> None:
    """Refused, approved, promoted, scored, watched, retrained in vain; answers and labels are counted."""
    assert told(found.became) == [
        ("promote", ""),
        ("promote", "endpoint"),
        ("score", "scores"),
        ("monitor", "report"),
        ("retrain", ""),
    ]
    assert "approvals wants 1" in found.became[0].failed
    assert found.became[2].says == "50 of 50 rows"
    assert [(item.approval.reason, item.in_force) for item in found.approvals] == [("figures and card read", True)]
    assert (found.traffic.answers, found.traffic.shadows, found.traffic.labels) == (60, 0, 1)
    assert found.successors == ()


def test_changed_bytes_and_a_void_approval_are_told(life: Life) -> None:
    """Neither is an error of who asks: the lineage says what is wrong."""
    project = life.open()
    version = project.oversight.lineage()
    (folder,) = (path.parent for path in project.workspace.folder("packages").glob("churn-1-*/card.json"))
    (folder / "card.json").write_text("{}", encoding="utf-8")
    changed = project.oversight.lineage(1)
    project = type(project).open(life.root, settings=(*SETTINGS, "policy.gates={card: 0.1}"))

    assert version.intact == ""
    assert "card.json has changed" in changed.intact
    assert [item.void for item in project.oversight.lineage(1).approvals] == [
        "was given when the gates asked for something else"
    ]


def test_the_command_shows_both_and_writes_a_page(lived: Life, tmp_path: Path) -> None:
    """In the terminal, as a page, as events; another suffix is refused with the cure."""
    settings = [word for setting in SETTINGS for word in ("--set", setting)]

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["lineage", *words, "--project", str(lived.root), *settings])
        return done.exit_code, done.stdout + str(done.exception or "")

    code, shown = run("--out", str(tmp_path / "lineage.html"))
    page = (tmp_path / "lineage.html").read_text(encoding="utf-8")
    events = run("--openlineage", str(tmp_path / "e.jsonl"), "--json")

    assert code == 0
    assert "made from" in shown
    assert "churn/1, production" in shown
    assert "<title>Lineage of churn/1</title>" in page
    assert "figures and card read" in page
    assert page.count("<rect") >= 11
    assert json.loads(events[1].replace("SystemExit(0)", "").removesuffix("0"))[0]["events"] == len(
        (tmp_path / "e.jsonl").read_text(encoding="utf-8").splitlines()
    )
    assert "End its name in .html or .md" in run("--out", "x.pdf")[1]
