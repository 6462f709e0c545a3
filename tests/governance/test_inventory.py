"""The inventory of several projects, and what a change in one of them reaches."""

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import ConfigError
from modelyard.oversight.impact import Impact, Node, impact_of
from modelyard.oversight.inventory import InventoryEntry, take_inventory
from modelyard.oversight.sites import find_projects, open_site
from modelyard.store import Workspace

Found = Callable[..., Path]
NOW = dt.datetime.now(dt.UTC)

CHURN = {
    "name": "churn",
    "objective": "call who is about to leave",
    "owner": "grace",
    "contact": "grace@example.org",
    "team": "retention",
    "data": {"source": "churn.parquet", "target": "Churn"},
    "protected": ["gender"],
    "dependencies": {
        "upstream": [
            {"name": "crm", "columns": ["tenure", "Contract"], "owner": "R. Keller", "contact": "crm@example.org"}
        ],
        "consumers": [
            {"name": "retention-calls", "purpose": "plans calls", "owner": "M. Meier", "contact": "meier@example.org"},
            {"name": "value", "kind": "model"},
        ],
    },
}
VALUE = {
    "name": "value",
    "owner": "Alan",
    "data": {"source": "value.parquet", "target": "y"},
    "dependencies": {"consumers": [{"name": "board-report", "kind": "report"}, {"name": "churn", "kind": "model"}]},
}


def entry_of(root: Path, days: int = 0, left: tuple[str, ...] = ()) -> InventoryEntry:
    """The line of one project, as it will be in some days."""
    (entry,) = take_inventory([root], NOW + dt.timedelta(days=days), left=left)
    return entry


def logged(root: Path, at: dt.datetime) -> Path:
    """A compacted file of the prediction log with one answer."""
    folder = Workspace(root).folder("predictions")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"predictions-{at:%Y%m%d}.parquet"
    pl.DataFrame({"at": [at]}, schema={"at": pl.Datetime("us", "UTC")}).write_parquet(path)
    return path


def test_a_released_model_is_one_full_line(found: Found) -> None:
    """What the file, the registry and the log know stands there; nobody is missing."""
    root = found(CHURN, released=True)
    logged(root, NOW - dt.timedelta(days=2))
    entry = entry_of(root)

    assert (entry.name, entry.owner, entry.team, entry.tier) == ("churn", "grace", "retention", "low")
    assert (entry.status, entry.version, entry.stage, entry.deployed_by) == ("in production", 1, "production", "ada")
    assert entry.deployed_at is not None
    assert entry.last_review is not None
    assert entry.review_due == entry.last_review + dt.timedelta(days=365)
    assert entry.last_request is not None
    assert abs(entry.last_request - (NOW - dt.timedelta(days=2))) < dt.timedelta(seconds=1)
    assert (entry.open_alerts, entry.broken_glass, entry.orphan) == (0, 0, ())
    assert (entry.personal, entry.upstream, entry.consumers) == (("gender",), ("crm",), ("retention-calls", "value"))


@pytest.mark.parametrize(
    ("days", "left", "said"),
    [
        (0, ("Grace",), "its owner grace has left"),
        (91, (), "no request since"),
        (366, (), "the next was due on"),
    ],
)
def test_an_orphan_is_found(found: Found, days: int, left: tuple[str, ...], said: str) -> None:
    """An owner who left, silence for 90 days, and a review that is overdue are each told."""
    entry = entry_of(found(CHURN, released=True), days, left)

    assert any(said in reason for reason in entry.orphan)
    assert entry_of(Path(entry.project), 89).orphan == ()


def test_traffic_keeps_a_model_from_being_an_orphan(found: Found) -> None:
    """A request of yesterday counts, in a compacted file or in a segment that is being written."""
    root = found(CHURN, released=True)
    logged(root, NOW + dt.timedelta(days=200))
    segment = Workspace(root).folder("predictions") / "predictions-open.jsonl"

    assert entry_of(root, 201).orphan == ()
    assert [reason[:16] for reason in entry_of(root, 291).orphan] == ["no request since"]
    segment.write_text("{}\n", encoding="utf-8")
    moment = (NOW + dt.timedelta(days=290)).timestamp()
    os.utime(segment, (moment, moment))

    assert entry_of(root, 291).orphan != ()
    segment.write_text("{}\n{}\n", encoding="utf-8")
    os.utime(segment, (moment, moment))

    assert entry_of(root, 291).orphan == ()


def test_faults_of_a_project_are_its_line(found: Found) -> None:
    """No owner, a card that was changed, a file that is none: told, and the others are listed all the same."""
    nobody = found({**VALUE, "owner": " "})
    broken = found({**VALUE, "name": "broken"})
    (broken / "modelyard.yaml").write_text("name: [", encoding="utf-8")
    churn = found(CHURN, released=True)
    card = Workspace(churn).folder("packages", "churn-1") / "card.json"
    card.chmod(0o644)
    card.write_bytes(card.read_bytes().replace(b"grace", b"trace"))
    entries = {entry.name: entry for entry in take_inventory([churn.parent], NOW)}

    assert set(entries) == {"broken", "churn", "value"}
    assert entries["broken"].status == "unreadable"
    assert "not valid YAML" in entries["broken"].orphan[0]
    assert entries["churn"].orphan == ("its card cannot be read",)
    assert (entries["value"].status, entries["value"].orphan) == ("not released", ("no owner is named",))
    assert not (nobody / ".modelyard").exists()


def test_no_project_is_refused(tmp_path: Path) -> None:
    """A folder without any is a mistake, not an empty inventory."""
    with pytest.raises(ConfigError, match="no project here"):
        find_projects([tmp_path])


def test_inventory_as_json(found: Found) -> None:
    """The command prints the records; several projects below one folder."""
    folder = found(CHURN, released=True).parent
    found(VALUE)
    result = CliRunner().invoke(app, ["inventory", str(folder), "--left", "alan", "--json"])
    shown = CliRunner().invoke(app, ["inventory", str(folder)])

    assert [(item["name"], item["orphan"]) for item in json.loads(result.stdout)] == [
        ("churn", []),
        ("value", ["its owner Alan has left"]),
    ]
    assert "2 models." in shown.stdout


# --- impact -------------------------------------------------------------------------------------------------------


def reached(found_: Impact) -> list[str]:
    """What a change reaches, without features."""
    return [str(item.node) for item in found_.reached if item.node.kind != "feature"]


def test_a_column_reaches_everything_behind_it(found: Found) -> None:
    """From the column through features, model and the other project's model to its report; each owner is told once."""
    sites = [open_site(root) for root in (found(CHURN, released=True), found(VALUE))]
    impact = impact_of(sites, "column", "tenure")
    feature, model = impact.reached[0], next(item for item in impact.reached if item.node.kind == "model")

    assert impact.start == (Node("column", "churn.tenure"),)
    assert feature.node == Node("feature", "churn.tenure")
    assert [str(node) for node in model.via] == ["column churn.tenure", "feature churn.tenure"]
    assert model.note == "version 1, production"
    assert reached(impact) == ["model churn", "process retention-calls", "model value", "report board-report"]
    assert [(person.name, person.about) for person in impact.notify] == [
        ("grace", ("model churn",)),
        ("M. Meier", ("process retention-calls",)),
        ("Alan", ("model value",)),
    ]
    assert impact.unowned == ("report board-report",)


def test_a_source_reaches_its_columns_only(found: Found) -> None:
    """What another source provides is not touched; two categories of one column are two features."""
    site = open_site(found(CHURN, released=True))
    impact = impact_of([site], "source", "crm")
    columns = [item.node.name for item in impact.reached if item.node.kind == "column"]

    assert columns == ["churn.tenure", "churn.Contract"]
    assert impact.notify[0].name == "R. Keller"
    assert len([item for item in impact.reached if item.node.kind == "feature"]) > 2
    assert "model churn" in reached(impact)


def test_circles_end(found: Found) -> None:
    """Two models that consume one another are each reached once."""
    sites = [open_site(root) for root in (found(CHURN), found(VALUE))]
    impact = impact_of(sites, "model", "churn")

    assert reached(impact) == ["process retention-calls", "model value", "report board-report"]
    assert next(item.note for item in impact.reached if item.node.name == "value").startswith("no version yet")


def test_without_a_version_only_what_is_declared_is_known(found: Found) -> None:
    """A declared column leads to the model; one that nobody named is refused with the nearest name."""
    site = open_site(found(CHURN))

    assert reached(impact_of([site], "column", "churn.tenure"))[0] == "model churn"
    with pytest.raises(ConfigError, match=r"there is no such column; got .tenur.\. Did you mean .tenure."):
        impact_of([site], "column", "tenur")


def test_impact_by_command(found: Found) -> None:
    """One thing changes at a time; the picture names whom to tell."""
    root = found(CHURN, released=True)
    shown = CliRunner().invoke(app, ["impact", str(root), "--column", "tenure"])
    both = CliRunner().invoke(app, ["impact", str(root), "--column", "tenure", "--model", "churn"])

    assert shown.exit_code == 0
    assert "meier@example.org" in shown.stdout
    assert isinstance(both.exception, ConfigError)
