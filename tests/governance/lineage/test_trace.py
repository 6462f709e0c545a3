"""Any prediction is followed back to its data, or refused with the reason."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.governance.lineage.conftest import HASHED, SETTINGS, Life
from typer.testing import CliRunner

from modelyard import Project
from modelyard.cli.app import app
from modelyard.core import StateError, new_id
from modelyard.oversight.lineage.records import PredictionTrace
from modelyard.packaging import Scorer
from modelyard.packaging.golden import as_requests
from modelyard.serving import compact
from modelyard.serving.prediction_log import PredictionLog, remove_old

PLAIN = tuple(setting for setting in SETTINGS if not setting.startswith("log.personal"))


@pytest.fixture(scope="module")
def quiet(lived: Life) -> Project:
    """The project, opened once."""
    return lived.open()


def record_of(project: Project, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A true answer of the version in production, as the server logs it, and its row."""
    folder = project.workspace.folder("packages", str(project.workspace.pointer("package")))
    scorer = Scorer.load(folder)
    rows = pl.read_parquet(project.root.parent / "churn.parquet")
    (row,) = as_requests(rows.select(column.name for column in scorer.contract.columns).tail(1))
    (score,) = scorer.score_rows([row])
    told = {
        "id": new_id(),
        "at": dt.datetime.now(dt.UTC).isoformat(),
        "model": "churn",
        "version": "1",
        "digest": scorer.digest,
        "latency_ms": 1.0,
        "score": float(score),
        "label": str(scorer.decide_row(float(score))),
        "probabilities": None,
        "flags": [],
        "features": row,
    }
    return {**told, **changes}, row


def write(project: Project, *records: dict[str, Any], close: bool = True) -> PredictionLog:
    """Append records to the log."""
    log = PredictionLog(project.workspace.folder("predictions"))
    log.append(list(records))
    if close:
        log.close()
    return log


def test_a_prediction_is_followed_to_data_code_and_people(lived: Life) -> None:
    """What was answered, flagged and labelled; which bytes, run, split and data; who approved and whether that holds."""
    found = lived.open().oversight.trace(lived.ids[0])
    lineage = found.lineage
    assert lineage is not None

    assert (found.answer.answer, found.answer.score, found.answer.flags) == ("Yes", 0.7, ("tenure: above",))
    assert found.label == "No"
    assert (lineage.subject, lineage.digest, lineage.intact) == ("churn/1", found.answer.digest, "")
    assert [link.job for link in lineage.made_from][0::8] == ["collect", "register"]
    assert [(item.approval.approver, item.in_force) for item in lineage.approvals] == [(lived.open().actor.name, True)]
    assert PredictionTrace.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_personal_columns_stay_as_the_log_has_them(lived: Life) -> None:
    """Codes for hashed ones, nothing for dropped ones; such a row is not scored again, and that is said."""
    found = lived.open().oversight.trace(lived.ids[1])

    assert found.answer.features["gender"] == HASHED
    assert "customerID" not in found.answer.features
    assert found.reproduced is None
    assert "the log does not hold gender" in found.unexplained
    assert found.reasons == ()


def test_the_score_is_computed_again_with_its_reasons(life: Life) -> None:
    """The logged row gives the logged score; a score that the package never gave is found."""
    project = Project.open(life.root, settings=PLAIN)
    true, _ = record_of(project)
    false, _ = record_of(project, score=0.123456)
    write(project, true, false)
    first, second = (project.oversight.trace(str(record["id"])) for record in (true, false))

    assert (first.reproduced, second.reproduced) == (True, False)
    assert len(first.reasons) >= 3
    assert abs(first.reasons[0][1]) >= abs(first.reasons[-1][1]) > 0


def test_open_segments_compacted_ones_and_the_copy_are_searched(life: Life) -> None:
    """Wherever the record lies; and while a server writes."""
    from modelyard.serving.prediction_log.shipping import Shipper
    from modelyard.serving.prediction_log.sink import LogDatabase

    project = Project.open(life.root, settings=PLAIN)
    folder = project.workspace.folder("predictions")
    record, _ = record_of(project)
    log = write(project, record, close=False)
    during = project.oversight.trace(str(record["id"]))
    address = f"sqlite:///{life.root.parent / 'copy.db'}"
    shipper = Shipper(folder, LogDatabase(address))
    log.close()
    shipper.ship()
    shipper.close()
    compact(folder)
    after = project.oversight.trace(str(record["id"]))
    remove_old(folder, dt.datetime.now(dt.UTC))
    sunk = Project.open(life.root, settings=(*PLAIN, f"log.sink={address}"))
    copied = sunk.oversight.trace(str(record["id"]))

    assert during.answer == after.answer
    assert (copied.answer.score, copied.answer.features) == (after.answer.score, after.answer.features)
    assert (during.reproduced, after.reproduced, copied.reproduced) == (True, True, True)


def test_what_was_said_in_shadow_stands_beside_the_answer(life: Life) -> None:
    """Under the same id; the answer is the one that left."""
    project = Project.open(life.root, settings=PLAIN)
    record, _ = record_of(project)
    shadow = {**record, "role": "shadow", "version": "2", "digest": "f" * 64, "score": 0.9}
    write(project, shadow, record)
    found = project.oversight.trace(str(record["id"]))

    assert (found.answer.role, found.answer.version) == ("stable", "1")
    assert [(item.role, item.version, item.score) for item in found.shadows] == [("shadow", "2", 0.9)]


def test_bytes_that_nobody_registered_are_said(life: Life) -> None:
    """An answer of a package that the registry does not know has no lineage, and says so."""
    project = Project.open(life.root, settings=PLAIN)
    record, _ = record_of(project, digest="e" * 64)
    write(project, record)
    found = project.oversight.trace(str(record["id"]))

    assert found.lineage is None
    assert found.unregistered == f"the registry has no version with the digest {'e' * 12}"


def test_changed_bytes_are_told_and_not_scored_with(life: Life) -> None:
    """The trace goes on, says what changed, and computes nothing with such a package."""
    project = Project.open(life.root, settings=PLAIN)
    record, _ = record_of(project)
    write(project, record)
    (path,) = project.workspace.folder("packages").glob("churn-1-*/golden.json")
    path.write_bytes(path.read_bytes() + b" ")
    found = project.oversight.trace(str(record["id"]))
    assert found.lineage is not None

    assert "golden.json has changed" in found.lineage.intact
    assert found.reproduced is None
    assert "golden.json has changed" in found.unexplained


@pytest.mark.parametrize("by", ["id", "column"])
def test_an_erased_prediction_is_said_to_be_erased(life: Life, by: str) -> None:
    """By its id or with a person's rows: the row of the ledger, and no word of who that was."""
    project = life.open()
    subject = ("id", life.ids[3]) if by == "id" else ("gender", HASHED)
    project.oversight.erase(*subject, "request 12")
    with pytest.raises(StateError, match=r"the prediction was erased; got row \d+ of the ledger") as caught:
        project.oversight.trace(life.ids[3])

    assert "gender" not in caught.value.sentence
    assert HASHED not in caught.value.sentence
    assert life.ids[3] not in json.dumps([row.to_dict() for row in project.ledger().rows()])


def test_an_id_that_never_was_or_is_too_old_is_refused(life: Life) -> None:
    """Each with its own sentence and cure."""
    project = Project.open(life.root, settings=(*SETTINGS, "log.keep_days=1"))
    with pytest.raises(StateError, match=r"the log has no such prediction.*have none"):
        project.oversight.trace("row-7")
    before = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat()
    project.workspace.ledger.append(project.actor, "log.retired", "churn", {"before": before})
    old = "00000001-0000-7000-8000-000000000000"
    with pytest.raises(StateError, match="older than the log is kept; got 1970-01-01"):
        project.oversight.trace(old)
    with pytest.raises(StateError, match="the log has no such prediction"):
        project.oversight.trace(new_id())


@settings(max_examples=10, deadline=None)
@given(id_=st.text(max_size=40))
def test_no_text_breaks_the_search(quiet: Project, id_: str) -> None:
    """Whatever is asked for is answered with one sentence."""
    with pytest.raises(StateError, match="the log has no such prediction"):
        quiet.oversight.trace(id_)


def test_the_command_shows_the_way(lived: Life) -> None:
    """In the terminal and as JSON."""
    options = [word for setting in SETTINGS for word in ("--set", setting)]
    words = ["trace", lived.ids[0], "--project", str(lived.root), *options]
    shown = CliRunner().invoke(app, words)
    record = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)

    assert shown.exit_code == 0
    assert "was answered Yes." in " ".join(shown.stdout.split())
    assert "made from" in shown.stdout
    assert record["lineage"]["subject"] == "churn/1"
