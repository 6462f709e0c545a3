"""Signed checkpoints: when they are made, where they are kept, whose are believed, and what they find."""

import datetime as dt
import json
from pathlib import Path

import pytest
from tests.data_room.servers import s3_server
from tests.forging import behind_triggers

from modelyard.core import Actor, ConfigError, ModelyardError, StateError
from modelyard.core.actor import ActorSource
from modelyard.problem.sections import CheckpointPlan, StorePlan
from modelyard.store import Ledger, Workspace
from modelyard.store.chain import GENESIS, row_hash
from modelyard.store.checkpoints import Notary, make_key, notary_of, public_key
from modelyard.store.checkpoints.places import FilePlace
from modelyard.store.head import Head

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private key of this machine."""
    path = tmp_path / "keys" / "signing.pem"
    make_key(path)
    monkeypatch.setenv("MODELYARD_SIGNING_KEY", str(path))
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The file of checkpoints."""
    return tmp_path / "elsewhere" / "ledger.checkpoints"


def plan(kept: Path, **values: object) -> CheckpointPlan:
    """Checkpoints after every 10 rows, or hourly."""
    return CheckpointPlan.model_validate({"to": [str(kept)], "rows": 10, **values})


def opened(root: Path, checkpoints: CheckpointPlan) -> Ledger:
    """The ledger of a project that asks for them."""
    return Workspace(root, StorePlan(checkpoints=checkpoints)).ledger


def fill(ledger: Ledger, rows: int) -> None:
    """Some rows."""
    for number in range(rows):
        ledger.append(ADA, "thing.done", f"thing-{number}")


def test_they_are_made_after_so_many_rows(tmp_path: Path, key: Path, kept: Path) -> None:
    """The first row, then every tenth; each vouches for all rows before it."""
    ledger = opened(tmp_path, plan(kept))
    fill(ledger, 25)
    lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    found = ledger.verify()

    assert [line["sequence"] for line in lines] == [1, 11, 21]
    assert {line["key"] for line in lines} == {public_key(key)}
    assert (found.ok, found.checkpoints, found.uncovered) == (True, 3, 4)
    assert key.stat().st_mode & 0o777 == 0o600


def test_they_are_made_after_so_much_time(tmp_path: Path, key: Path, kept: Path) -> None:
    """An hour after the newest one, if there is a new row."""
    now = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]
    notary = Notary([FilePlace(kept)], key, plan(kept), clock=lambda: now[0])
    made = [notary.sign_if_due(Head(1, "a" * 64)), notary.sign_if_due(Head(2, "b" * 64))]
    now[0] += dt.timedelta(minutes=61)
    made += [notary.sign_if_due(Head(1, "a" * 64)), notary.sign_if_due(Head(2, "b" * 64))]

    assert made == [True, False, False, True]


def test_a_whole_rewrite_is_found(tmp_path: Path, key: Path, kept: Path) -> None:
    """Every row forged anew with fitting hashes, triggers and head file as they were: only the signature tells."""
    ledger = opened(tmp_path, plan(kept))
    fill(ledger, 12)
    rewrite(tmp_path / ".modelyard" / "ledger.db", actor="eve")

    assert Ledger.open(tmp_path / ".modelyard" / "ledger.db").verify().ok
    assert "row 1 is not the one that was signed on 20" in ledger.verify().problem


def rewrite(place: Path, *, actor: str, rows: int | None = None) -> None:
    """A new chain with another actor, as one who may write every file of the project would make it."""
    names = ("sequence", "at", "actor", "actor_source", "action", "subject", "details", "previous", "hash")
    with behind_triggers(place) as connection:
        found = connection.execute("SELECT * FROM ledger ORDER BY sequence")
        old = [dict(zip(names, row, strict=True)) for row in found]
        connection.execute("DELETE FROM ledger")
        previous = GENESIS
        for row in old[:rows]:
            row |= {"actor": actor, "previous": previous}
            previous = row["hash"] = row_hash({**row, "details": json.loads(row["details"])})
            connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", tuple(row.values()))
    place.with_suffix(".head").write_text(json.dumps({"sequence": len(old[:rows]), "hash": previous}), encoding="utf-8")


def test_a_cut_tail_is_found_though_the_head_was_cut_too(tmp_path: Path, key: Path, kept: Path) -> None:
    """Rows removed and the head file set back: the newest checkpoint has seen more."""
    ledger = opened(tmp_path, plan(kept))
    fill(ledger, 12)
    rewrite(tmp_path / ".modelyard" / "ledger.db", actor="ada", rows=5)
    found = ledger.verify()

    assert Ledger.open(tmp_path / ".modelyard" / "ledger.db").verify().ok
    assert (found.first_bad_sequence, "cut off or rewritten" in found.problem) == (6, True)


def test_only_trusted_keys_count(tmp_path: Path, key: Path, kept: Path) -> None:
    """A checkpoint by another key is no evidence; with the other key named it is."""
    stranger = tmp_path / "keys" / "stranger.pem"
    make_key(stranger)
    fill(opened(tmp_path, plan(kept, key=str(key))), 3)
    trusting = plan(kept, trust=[public_key(stranger)])

    with pytest.raises(ConfigError, match="does not trust this machine's key"):
        opened(tmp_path, trusting).checkpoint()
    assert "a key that the project does not trust" in opened(tmp_path, trusting).verify().problem
    both = plan(kept, trust=[public_key(stranger), public_key(key)])
    assert opened(tmp_path, both).verify().ok


@pytest.mark.parametrize("field", ["sequence", "hash", "at", "signature"])
def test_a_forged_checkpoint_is_found(tmp_path: Path, key: Path, kept: Path, field: str) -> None:
    """No field can be changed without the key."""
    ledger = opened(tmp_path, plan(kept))
    fill(ledger, 2)
    line = json.loads(kept.read_text(encoding="utf-8"))
    line[field] = {"sequence": 2, "hash": "0" * 64, "at": "2020-01-01T00:00:00+00:00", "signature": "00" * 64}[field]
    kept.write_text(json.dumps(line) + "\n", encoding="utf-8")

    assert "the signature of the checkpoint does not fit" in ledger.verify().problem


def test_checkpoints_that_were_removed_are_missed(tmp_path: Path, key: Path, kept: Path) -> None:
    """A place without any, though some are due."""
    ledger = opened(tmp_path, plan(kept))
    fill(ledger, 11)
    kept.unlink()

    assert "there is no checkpoint in" in ledger.verify().problem


def test_a_writer_that_died_in_a_line_spoils_nothing(tmp_path: Path, key: Path, kept: Path) -> None:
    """Half a line says nothing, and the next checkpoint has a line of its own; garbage is told."""
    ledger = opened(tmp_path, plan(kept))
    fill(ledger, 1)
    with kept.open("a", encoding="utf-8") as stream:
        stream.write('{"sequence": 2, "ha')
    fill(ledger, 1)
    ledger.checkpoint()

    assert (ledger.verify().ok, ledger.verify().checkpoints) == (True, 2)

    kept.write_text("{}\n", encoding="utf-8")

    assert "line 1: this is no checkpoint" in ledger.verify().problem


def test_a_machine_without_a_key_signs_nothing_and_verifies(
    tmp_path: Path, key: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commits go through quietly; asked to sign, it says what to do; with public keys it verifies."""
    fill(opened(tmp_path, plan(kept)), 2)
    monkeypatch.setenv("MODELYARD_SIGNING_KEY", str(tmp_path / "none.pem"))
    ledger = opened(tmp_path, plan(kept, trust=[public_key(key)]))
    fill(ledger, 20)

    assert (ledger.verify().ok, ledger.verify().uncovered) == (True, 21)
    with pytest.raises(StateError, match=r"there is no key to sign with.*modelyard ledger key"):
        ledger.checkpoint()
    with pytest.raises(ConfigError, match="nobody's signature is trusted"):
        opened(tmp_path, plan(kept)).verify()


def test_a_place_that_takes_nothing_costs_a_warning(
    tmp_path: Path, key: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The row is committed; the log says so, and the next commit tries again."""
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    ledger = opened(tmp_path, plan(tmp_path / "file" / "x"))
    fill(ledger, 1)

    assert "was not updated" in caplog.text
    assert ledger.length() == 1


def test_keys_that_are_none_are_refused(tmp_path: Path) -> None:
    """One that others may read, no key at all, another kind; and a key is never overwritten."""
    path = tmp_path / "key.pem"
    make_key(path)
    with pytest.raises(StateError, match="there is a key already"):
        make_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read the key; got 640"):
        public_key(path)
    path.chmod(0o600)
    path.write_text("no key", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no Ed25519 key"):
        public_key(path)


def test_object_storage_keeps_one_object_each(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real S3-compatible server; what was signed there finds a rewrite, and a place that is gone is an error."""
    import boto3

    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with s3_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="audit")
        notary = notary_of(CheckpointPlan(to=("s3://audit/churn",), rows=10), tmp_path)
        ledger = Ledger.open(tmp_path / "ledger.db", notary=notary)
        fill(ledger, 12)

        assert (ledger.verify().checkpoints, ledger.verify().ok) == (2, True)

        rewrite(tmp_path / "ledger.db", actor="eve")

        assert "was signed" in ledger.verify().problem
    with pytest.raises(ModelyardError, match="cannot be read"):
        notary.attested()


def test_other_places_are_refused(tmp_path: Path) -> None:
    """Checkpoints go to files and object storage; without any nothing is signed."""
    with pytest.raises(ConfigError, match="go to files or object storage; got https://host/x"):
        notary_of(CheckpointPlan(to=("https://host/x",)), tmp_path)
    with pytest.raises(StateError, match="no checkpoints are asked for"):
        Workspace(tmp_path).ledger.checkpoint()
