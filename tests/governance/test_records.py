"""What is kept for auditors, and what is erased on request."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard import Project
from modelyard.cli.app import app
from modelyard.core import ConfigError, digest_file, new_id
from modelyard.data import store_version
from modelyard.governance import verify_ledger
from modelyard.oversight.crosswalk import CROSSWALK
from modelyard.serving import compact, read_feedback, read_predictions
from modelyard.serving.prediction_log import LogPolicy, PredictionLog, Privacy, record_feedback
from modelyard.store import Workspace

Found = Callable[..., Path]
CONTENT: dict[str, Any] = {"name": "churn", "owner": "grace", "data": {"source": "churn.parquet", "target": "Churn"}}
COLUMNS = {"customer": "text", "tenure": "numeric"}


def log_of(root: Path, *rows: dict[str, Any], close: bool = True) -> list[str]:
    """Write answers, and a label for each; returns their ids."""
    folder = Workspace(root).folder("predictions")
    log = PredictionLog(folder, columns=COLUMNS)
    ids = [new_id() for _ in rows]
    at = dt.datetime.now(dt.UTC).isoformat()
    records = [
        {"id": id_, "at": at, "model": "churn", "version": "1", "digest": "d", "latency_ms": 1.0, "score": 0.5}
        | {"label": "Yes", "probabilities": None, "flags": [], "features": row}
        for id_, row in zip(ids, rows, strict=True)
    ]
    asyncio.run(log.write(records))
    if close:
        log.close()
    record_feedback(folder, [{"id": id_, "label": "Yes", "at": at} for id_ in ids])
    return ids


@pytest.mark.parametrize("compacted", [False, True])
def test_a_subjects_rows_are_gone_and_the_chain_holds(found: Found, compacted: bool) -> None:
    """Predictions and labels of one customer go; those of others stay; the ledger tells a code, not the name."""
    root = found(CONTENT, released=True)
    ids = log_of(
        root,
        {"customer": "c-4711", "tenure": 3.0},
        {"customer": "c-1", "tenure": 4.0},
        {"customer": "c-4711", "tenure": 5.0},
    )
    folder = Workspace(root).folder("predictions")
    if compacted:
        compact(folder)
    project = Project.open(root)
    erased = project.oversight.erase("customer", "c-4711", "request 12 of 2026")
    begun, done = (project.ledger().rows(action=f"erasure.{step}")[0] for step in ("begun", "done"))

    assert (erased.predictions, erased.labels) == (2, 2)
    assert read_predictions(folder)["id"].to_list() == [ids[1]]
    assert read_feedback(folder)["id"].to_list() == [ids[1]]
    assert b"c-4711" not in b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert (begun.subject, done.details["predictions"], done.details["reason"]) == (
        erased.reference,
        2,
        "request 12 of 2026",
    )
    assert "c-4711" not in json.dumps([row.to_dict() for row in project.ledger().rows()])
    assert verify_ledger(project.ledger()).ok
    assert project.oversight.erase("customer", "c-4711", "again").predictions == 0


def test_numbers_ids_and_codes_name_a_subject_too(found: Found) -> None:
    """A number in any spelling, the id of one prediction, and a column that the log hashes."""
    root = found(CONTENT)
    key = Workspace(root).state / "log.key"
    code = Privacy(LogPolicy(personal={"customer": "hash"}, key=key), ["customer"]).code("c-9")
    ids = log_of(root, {"tenure": 7.0}, {"tenure": 8.0}, {"customer": code, "tenure": 9.0}, {"tenure": 10.0})
    oversight = Project.open(root).oversight

    assert oversight.erase("tenure", "7", "r").predictions == 1
    assert oversight.erase("id", ids[1], "r").labels == 1
    assert oversight.erase("customer", "c-9", "r").predictions == 1
    assert read_predictions(Workspace(root).folder("predictions"))["id"].to_list() == [ids[3]]


def test_what_cannot_be_reached_is_said(found: Found) -> None:
    """Rows that models learnt from, a segment that a server still writes, and copies elsewhere are named, not claimed."""
    root = found(CONTENT)
    workspace = Workspace(root)
    version = store_version(pl.DataFrame({"customer": ["c-1", "c-2", "c-1"]}), "x.csv", workspace)
    log = PredictionLog(workspace.folder("predictions"), columns=COLUMNS)
    record = {"id": "p-1", "at": dt.datetime.now(dt.UTC).isoformat(), "features": {"customer": "c-1"}}
    asyncio.run(log.write([record]))
    try:
        erased = Project.open(root).oversight.erase("customer", "c-1", "r")
    finally:
        log.close()

    assert erased.predictions == 0
    assert any("1 records, which a server still writes" in item for item in erased.beyond)
    assert any(f"data version {version.id}: 2 rows" in item for item in erased.beyond)
    assert "backups" in erased.beyond[-1]
    later = Project.open(root).oversight.erase("customer", "c-1", "r")

    assert later.predictions == 1
    assert not any("server still writes" in item for item in later.beyond)


def test_golden_rows_of_a_package_are_named(found: Found) -> None:
    """A package cannot be changed; whose row it carries is told."""
    root = found(CONTENT, released=True)
    golden = json.loads((Workspace(root).folder("packages", "churn-1") / "golden.json").read_text(encoding="utf-8"))
    value = str(golden["rows"][0]["features"]["tenure"])
    erased = Project.open(root).oversight.erase("tenure", value, "r")

    assert any(item.startswith("churn/1: its golden rows") for item in erased.beyond)


def test_the_copy_in_a_database_is_reached(found: Found) -> None:
    """Rows of the log's copy go as well; one that cannot be reached is said."""
    from modelyard.serving.prediction_log.shipping import Shipper
    from modelyard.serving.prediction_log.sink import LogDatabase

    root = found({**CONTENT, "log": {"sink": "sqlite:///copy.db"}})
    folder = Workspace(root).folder("predictions")
    address = f"sqlite:///{root / 'copy.db'}"
    shipper = Shipper(folder, LogDatabase(address))
    log_of(root, {"customer": "c-1"}, {"customer": "c-2"})
    shipper.ship()
    shipper.close()
    assert read_predictions(address).height == 2
    erased = Project.open(root, settings=[f"log.sink={address}"]).oversight.erase("customer", "c-1", "r")
    gone = Project.open(root, settings=["log.sink=sqlite:////nowhere/copy.db"]).oversight.erase("customer", "c-2", "r")

    assert (erased.copied_predictions, erased.copied_labels) == (1, 1)
    assert read_predictions(address)["feature.customer"].to_list() == ["c-2"]
    assert any("the log's copy" in item for item in gone.beyond)


@pytest.mark.parametrize(
    ("key", "value", "reason", "said"),
    [
        ("customer", "c-1", "Mr c-1 asked", "the reason must not name the subject"),
        ("customer", "c-1", " ", "a reason is needed"),
        ("customer", "", "r", "a subject is a column and its value"),
    ],
)
def test_bad_requests_leave_no_trace(found: Found, key: str, value: str, reason: str, said: str) -> None:
    """Nothing is erased, and nothing that names a person comes into the ledger."""
    project = Project.open(found(CONTENT))
    with pytest.raises(ConfigError, match=said):
        project.oversight.erase(key, value, reason)

    assert project.ledger().rows() == ()


def test_records_are_whole_and_name_nobody(found: Found, tmp_path: Path) -> None:
    """Cards, decisions, deployments, ledger and the log by digests; every file is in the contents, no row of a person."""
    root = found({**CONTENT, "log": {"keep_days": 30}}, released=True)
    log_of(root, {"customer": "c-4711", "tenure": 3.0})
    target = tmp_path / "records"
    result = CliRunner().invoke(app, ["records", "export", str(target), "-p", str(root), "--json"])
    told = json.loads(result.stdout)
    contents = json.loads((target / "contents.json").read_text(encoding="utf-8"))
    files = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()} - {"contents.json"}
    decisions = [row["action"] for row in json.loads((target / "decisions.json").read_text(encoding="utf-8"))]
    (logged,) = [
        item
        for item in json.loads((target / "log.json").read_text(encoding="utf-8"))["files"]
        if item["file"].startswith("pred")
    ]
    readme = (target / "README.md").read_text(encoding="utf-8")

    assert files == set(contents["files"]) == set(told["files"])
    assert {"cards/1.json", "cards/1.md", "manifests/1.json", "ledger.jsonl", "inventory.json"} <= files
    assert all(digest_file(target / name) == digest for name, digest in contents["files"].items())
    assert decisions == ["gates.passed", "version.approved", "gates.passed"]
    assert logged["sha256"] == digest_file(Workspace(root).folder("predictions") / logged["file"])
    assert "c-4711" not in "".join(path.read_text(encoding="utf-8") for path in target.rglob("*") if path.is_file())
    assert any("removes logged answers after 30 days; records.log_days asks for 183" in gap for gap in told["gaps"])
    assert "complies is not claimed" in readme
    assert all(clause.record in readme for clause in CROSSWALK)
    assert told["keep_until"].startswith(str(dt.datetime.now(dt.UTC).year + 10))
    with pytest.raises(ConfigError, match="holds something already"):
        Project.open(root).oversight.export_records(target)


def test_every_file_of_the_crosswalk_is_written(found: Found, tmp_path: Path) -> None:
    """What the table names is there, and every clause says support for something."""
    root = found(CONTENT, released=True)
    Project.open(root).oversight.export_records(tmp_path / "out")
    named = {name for clause in CROSSWALK for name in clause.file.split(", ") if name != "changes/"}

    assert [name for name in sorted(named) if not (tmp_path / "out" / name).exists()] == []
    assert all(clause.supports for clause in CROSSWALK)
