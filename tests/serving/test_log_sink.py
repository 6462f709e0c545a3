"""The log's copy in a database: every acknowledged record once, whoever is killed and whatever is down."""

import asyncio
import contextlib
import datetime as dt
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from tests.data_room.servers import PASSWORD
from tests.serving.test_prediction_log import COLUMNS, prediction
from tests.waiting import comes_true

from modelyard.core import StateError
from modelyard.serving import LogKind, PredictionLog, compact, read_feedback, read_predictions, remove_old
from modelyard.serving.prediction_log.shipping import Shipper
from modelyard.serving.prediction_log.sink import LogDatabase

if TYPE_CHECKING:
    from tests.serving.conftest import StartServer


@pytest.fixture(params=["sqlite", "postgresql"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An address of each kind, without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'log.db'}"
        return
    address = request.getfixturevalue("postgres")
    _drop(address)
    yield address


def _drop(address: str) -> None:
    engine = sa.create_engine(address.replace("${YARD_PASSWORD}", PASSWORD), poolclass=sa.NullPool)
    names = "modelyard_log_segments, modelyard_predictions, modelyard_feedback, modelyard_log_gaps"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {names}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the log."""
    return tmp_path / "log"


def shipper(folder: Path, sink: str) -> Shipper:
    """A shipper without its thread."""
    return Shipper(folder, LogDatabase(sink))


def filled(folder: Path, records: int = 30) -> PredictionLog:
    """A log of several segments, the last of which is open; every cell has a kind of its own."""
    log = PredictionLog(folder, segment_bytes=2_000, columns=COLUMNS)
    for number in range(records):
        log.append(
            [prediction(age=number, job="a\x00b" if number == 7 else "ä'\t\\N", member=True, since="2024-02-29")]
        )
    log.append([{**prediction(age=None, job=None), "label": None, "probabilities": [0.1, 0.9], "flags": []}])
    return log


def test_the_copy_reads_as_the_log_does(folder: Path, sink: str) -> None:
    """Same rows, same columns, same types, from files and from the database; but for the character zero."""
    log = filled(folder)
    feedback = PredictionLog(folder, LogKind.FEEDBACK)
    feedback.append(
        [
            {"id": "1", "label": 2.5, "at": "2026-01-01T00:00:00+00:00"},
            {"id": "1", "label": "No", "at": "2026-01-02T00:00:00+00:00"},
        ]
    )
    copying = shipper(folder, sink)
    shipped = copying.ship()
    copying.close()
    log.close()
    feedback.close()
    here, there = (read_predictions(source).sort("id") for source in (folder, sink))

    assert shipped == 33
    assert there.filter(pl.col("feature.age") == 7)["feature.job"].to_list() == ["a\ufffdb"]
    assert_frame_equal(there.with_columns(here["feature.job"]), here, check_column_order=False)
    assert read_feedback(sink).to_dicts() == read_feedback(folder).to_dicts()


def test_a_shadow_is_copied_beside_the_answer(folder: Path, sink: str) -> None:
    """Both lines have the id of the answer; the copy tells them apart as the log does."""
    log = PredictionLog(folder, columns=COLUMNS)
    answer = prediction(age=1)
    log.append([answer, {**answer, "version": "4", "role": "shadow"}])
    copying = shipper(folder, sink)
    assert copying.ship() == 2
    copying.close()
    log.close()

    for source in (folder, sink):
        assert read_predictions(source)["version"].to_list() == [answer["version"]]
        assert read_predictions(source, shadows=True).select("id", "version").rows() == [(answer["id"], "4")]


def test_only_what_is_new_is_copied(folder: Path, sink: str) -> None:
    """Again and again, over closed and open segments, by one shipper or by the next one: each record once."""
    log = filled(folder, 10)
    first = shipper(folder, sink)
    counts = [first.ship(), first.ship()]
    log.append([prediction(age=99)])
    counts.append(first.ship())
    first.close()
    log.append([prediction(age=100)])
    second = shipper(folder, sink)
    counts.append(second.ship())
    log.close()
    counts.append(second.ship())
    backlog = second.backlog_bytes
    second.close()

    assert (counts, backlog) == ([11, 0, 1, 1, 0], 0)
    assert sorted(read_predictions(sink)["id"]) == sorted(read_predictions(folder)["id"])


def test_one_process_copies_and_another_takes_over(folder: Path, sink: str) -> None:
    """While one shipper has the folder another does nothing; it takes over when the first one ends."""
    log = filled(folder, 5)
    first, second = shipper(folder, sink), shipper(folder, sink)
    assert (first.ship(), second.ship()) == (6, 0)
    log.append([prediction(age=99)])
    first.close()

    assert second.ship() == 1
    second.close()
    log.close()


def test_two_machines_cannot_copy_the_same_place_twice(folder: Path, sink: str) -> None:
    """Where no lock is seen, the place in the database tells: the second one's transaction is refused."""
    log = filled(folder, 5)
    first, second = shipper(folder, sink), shipper(folder, sink)
    first._is_ours()
    second._positions = dict(first._positions or {})
    first.ship()
    with pytest.raises(StateError):
        second.ship()
    log.close()
    for one in (first, second):
        one.close()

    assert len(read_predictions(sink)) == 6


def test_compaction_waits_for_the_copy(folder: Path, sink: str) -> None:
    """A segment that is not wholly copied stays a segment; afterwards it is compacted, and nothing is copied again."""
    log = filled(folder)
    log.close()
    copying = shipper(folder, sink)
    segments = len(list(folder.glob("*.jsonl")))
    before = compact(folder)
    copying.ship()
    after = compact(folder)
    more = copying.ship()
    copying.close()

    assert (before.segments, before.active) == (0, segments)
    assert (after.segments, after.rows, more) == (segments, 31, 0)
    assert [path.suffix for path in folder.iterdir() if not path.name.startswith(".")] == [".parquet"] * segments
    assert len(read_predictions(sink)) == len(read_predictions(folder)) == 31


def test_damaged_lines_do_not_stop_the_copy(folder: Path, sink: str) -> None:
    """A blank page, a line that is no record and a torn end: what is whole around them is copied."""
    log = PredictionLog(folder, columns=COLUMNS)
    log.append([prediction(age=1)])
    asyncio.run(log.probe())
    log.close()
    path = next(folder.glob("*.jsonl"))
    with path.open("ab") as stream:
        stream.write(b'\xff\xfe\n[1]\n{"id":"torn')
    copying = shipper(folder, sink)
    copying.ship()
    copying.close()

    assert len(read_predictions(sink)) == 1
    assert path.with_suffix(".shipped").exists()


def test_a_database_that_is_down(tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log goes on; when the database comes, it gets everything."""
    place = tmp_path / "later" / "log.db"
    log = filled(folder)
    copying = Shipper(folder, LogDatabase(f"sqlite:///{place}"), pause_s=0.02)
    with caplog.at_level(logging.WARNING, logger="modelyard.serving"):
        copying.start()
        assert comes_true(lambda: copying.failures >= 2, 60, pause_s=0.01)
    waiting = copying.backlog_bytes
    place.parent.mkdir()
    assert comes_true(lambda: copying.records_shipped == 31, 60, pause_s=0.01)
    copying.close()
    log.close()

    assert waiting > 5_000
    assert "the log was not copied" in caplog.text
    assert len(read_predictions(f"sqlite:///{place}")) == 31


@pytest.mark.slow
def test_killed_in_the_middle_of_shipping(folder: Path, sink: str) -> None:
    """SIGKILL to a shipper between and within transactions, several times: in the end every record is there once."""
    log = PredictionLog(folder, segment_bytes=20_000, columns=COLUMNS)
    for number in range(400):
        log.append([prediction(age=number)])
    log.close()
    script = (
        "import sys; from pathlib import Path\n"
        "import modelyard.serving.prediction_log.shipping as shipping\n"
        "from modelyard.serving.prediction_log.sink import LogDatabase\n"
        "shipping._SLICE_BYTES = 1_000\n"
        "shipping.Shipper(Path(sys.argv[1]), LogDatabase(sys.argv[2])).ship()\n"
    )
    command = [sys.executable, "-c", script, str(folder), sink]
    killed = 0
    for least in (20, 150, 300):
        process = subprocess.Popen(command, env=dict(os.environ))
        while process.poll() is None:
            if _copied(sink) >= least:
                process.send_signal(signal.SIGKILL)
                killed += process.wait() == -signal.SIGKILL
            time.sleep(0.001)
    subprocess.run(command, check=True, timeout=120)
    copied = read_predictions(sink)["id"].to_list()

    assert killed >= 2
    assert len(copied) == len(set(copied)) == 400
    assert set(copied) == set(read_predictions(folder)["id"])


def _copied(sink: str) -> int:
    try:
        return len(read_predictions(sink))
    except StateError:
        return 0


def test_a_server_killed_under_load(start_server: "StartServer", row: dict[str, Any], postgres: str) -> None:
    """Server and shipper die in the middle of both; started again, the copy has every acknowledged id, and none twice."""
    _drop(postgres)
    server = start_server("--log-sink", postgres)
    acknowledged: list[str] = []

    def load() -> None:
        with httpx.Client(base_url=server.url) as client, contextlib.suppress(httpx.TransportError, ValueError):
            while True:
                acknowledged.append(client.post("/predict", json=row).json()["id"])

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert comes_true(lambda: len(acknowledged) > 300 and _copied(postgres) > 0, 60, pause_s=0.01)
    server.process.kill()
    for thread in threads:
        thread.join(timeout=30)
    second = start_server("--log-sink", postgres, log=server.log)
    acknowledged.append(httpx.post(f"{second.url}/predict", json=row).json()["id"])
    shown = httpx.get(f"{second.url}/metrics").text
    second.process.terminate()
    second.process.wait(timeout=60)
    copied = read_predictions(postgres)["id"].to_list()

    assert len(copied) == len(set(copied))
    assert set(acknowledged) <= set(copied)
    assert sorted(copied) == sorted(read_predictions(server.log)["id"])
    assert "modelyard_log_backlog_bytes" in shown


def test_old_records_go_from_files_and_rows(folder: Path, sink: str) -> None:
    """Whole compacted files whose last record is too old, and such rows; what is younger stays, segments too."""
    for day in (1, 9, 20):
        log = PredictionLog(folder, columns=COLUMNS)
        log.append([{**prediction(age=day), "at": dt.datetime(2026, 1, day, tzinfo=dt.UTC)} for _ in range(3)])
        log.close()
    copying = shipper(folder, sink)
    copying.ship()
    copying.close()
    compact(folder)
    report = remove_old(folder, dt.datetime(2026, 1, 10, tzinfo=dt.UTC), sink=sink)
    again = remove_old(folder, dt.datetime(2026, 1, 10, tzinfo=dt.UTC), sink=sink)

    assert (report.files, report.rows, report.database_rows) == (2, 6, 6)
    assert (again.files, again.rows, again.database_rows) == (0, 0, 0)
    assert (
        read_predictions(folder)["feature.age"].to_list()
        == read_predictions(sink)["feature.age"].to_list()
        == [20.0] * 3
    )


def test_a_database_that_is_down_keeps_its_rows(tmp_path: Path, folder: Path) -> None:
    """Old files go all the same, and the report has the database's word."""
    log = filled(folder, 2)
    log.close()
    compact(folder)
    report = remove_old(folder, dt.datetime(2027, 1, 1, tzinfo=dt.UTC), sink=f"sqlite:///{tmp_path / 'no' / 'log.db'}")

    assert (report.rows, report.database_rows) == (3, 0)
    assert "the database does not take the rows; got unable to open database file" in report.refused


def test_what_the_driver_says_is_one_sentence(folder: Path, sink: str) -> None:
    """A table that somebody has changed stops the copy with a sentence, and nothing of the slice is kept."""
    log = filled(folder, 3)
    LogDatabase(sink).positions()
    with LogDatabase(sink)._database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE modelyard_predictions RENAME COLUMN score TO points")
    copying = shipper(folder, sink)
    with pytest.raises(StateError, match="the database does not take the rows"):
        copying.ship()
    positions = LogDatabase(sink).positions()
    with LogDatabase(sink)._database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE modelyard_predictions RENAME COLUMN points TO score")

    assert (positions, copying.ship()) == ({}, 4)
    copying.close()
    log.close()


def test_an_empty_database_is_an_empty_log(tmp_path: Path) -> None:
    """Before the first copy the columns are there, and nothing is made."""
    address = f"sqlite:///{tmp_path / 'log.db'}"

    assert read_predictions(address).columns == read_predictions(tmp_path / "none").columns
    assert sqlite3.connect(tmp_path / "log.db").execute("SELECT * FROM sqlite_master").fetchall() == []
