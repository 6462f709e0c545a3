"""The log keeps what it acknowledged, exactly once, before and after compaction."""

import asyncio
import datetime as dt
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelyard.core import LockedError, StateError, exclusive_lock, new_id
from modelyard.serving import PredictionLog, compact, read_feedback, read_predictions, record_feedback
from modelyard.serving.prediction_log import torn_lines

COLUMNS = {"age": "numeric", "job": "category", "member": "boolean", "since": "date"}


def prediction(**features: Any) -> dict[str, Any]:
    """A record as the server writes it."""
    return {
        "id": new_id(),
        "at": dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC),
        "model": "churn",
        "version": "1",
        "digest": "d",
        "latency_ms": 1.5,
        "score": 0.25,
        "label": "No",
        "probabilities": None,
        "flags": ["age: range"],
        "features": features,
    }


def test_written_records_are_read_with_their_types(tmp_path: Path) -> None:
    """Every field comes back, features under their own names in the types of the contract."""
    record = prediction(age=31, job=7, member=None, since="2024-02-29T12:00:00")
    log = PredictionLog(tmp_path, columns=COLUMNS)
    asyncio.run(log.write([record]))
    frame = read_predictions(tmp_path)
    log.close()

    assert frame.to_dicts() == [
        {
            **{name: value for name, value in record.items() if name != "features"},
            "role": "stable",
            "feature.age": 31.0,
            "feature.job": "7",
            "feature.member": None,
            "feature.since": dt.datetime(2024, 2, 29, 12),  # noqa: DTZ001 - moments in tables have no zone
        }
    ]
    assert frame.schema["feature.member"] == pl.Boolean
    assert frame.schema["at"] == pl.Datetime("us", "UTC")


def test_what_was_said_in_shadow_is_no_answer(tmp_path: Path) -> None:
    """Shadows are read apart, also from Parquet; lines and files of before there were roles are answers."""
    log = PredictionLog(tmp_path, columns=COLUMNS)
    old = prediction(age=30)
    asyncio.run(log.write([old, {**old, "role": "shadow"}, {**old, "role": "canary"}]))
    log.close()

    for _ in range(2):
        assert read_predictions(tmp_path)["role"].to_list() == ["stable", "canary"]
        assert read_predictions(tmp_path, shadows=True)["role"].to_list() == ["shadow"]
        compact(tmp_path)
    for path in tmp_path.glob("*.parquet"):
        pl.read_parquet(path).drop("role").write_parquet(path)
    assert read_predictions(tmp_path)["role"].to_list() == ["stable"] * 3
    assert read_predictions(tmp_path, shadows=True).is_empty()


def test_writers_that_wait_together_share_a_write(tmp_path: Path) -> None:
    """A hundred concurrent writes are all kept, in far fewer pieces."""
    log = PredictionLog(tmp_path)
    pieces: list[int] = []
    append = log._segments.append

    def counted(lines: bytes) -> None:
        pieces.append(lines.count(b"\n"))
        append(lines)

    log._segments.append = counted  # type: ignore[method-assign]

    async def write_all() -> None:
        await asyncio.gather(*(log.write([prediction(age=number)]) for number in range(100)))

    asyncio.run(write_all())
    log.close()

    assert sum(pieces) == 100
    assert len(pieces) < 10
    assert sorted(read_predictions(tmp_path)["feature.age"]) == list(range(100))


def test_a_slow_disk_holds_the_loop_up_once(tmp_path: Path) -> None:
    """The write that shows that the disk is slow is on the loop; the next is not, and others have their turn meanwhile."""
    log = PredictionLog(tmp_path)
    append, writers = log._segments.append, list[str]()

    def slow(lines: bytes) -> None:
        writers.append(threading.current_thread().name)
        time.sleep(0.2)
        append(lines)

    log._segments.append = slow  # type: ignore[method-assign]

    async def scenario() -> list[int]:
        turns = []
        for _ in range(2):
            writing = asyncio.ensure_future(log.write([prediction()]))
            count = 0
            while not writing.done():
                await asyncio.sleep(0.001)
                count += 1
            turns.append(count)
        return turns

    first, second = asyncio.run(scenario())
    log.close()

    assert writers == ["MainThread", "predictions-log"]
    assert first <= 3
    assert second > 3 * first
    assert len(read_predictions(tmp_path)) == 2


def test_too_much_waiting_is_refused(tmp_path: Path) -> None:
    """Beyond the bound of waiting bytes a write is refused at once, and what waited is still kept."""
    log = PredictionLog(tmp_path, max_pending_bytes=1_000)

    async def write_all() -> list[BaseException | None]:
        return await asyncio.gather(*(log.write([prediction(age=n)]) for n in range(9)), return_exceptions=True)

    results = asyncio.run(write_all())
    log.close()
    refused = [result for result in results if isinstance(result, StateError)]

    assert len(refused) == log.writes_failed > 0
    assert len(read_predictions(tmp_path)) == 9 - len(refused)


def test_drain_writes_what_is_pending_and_then_refuses(tmp_path: Path) -> None:
    """Closing loses nothing that was asked for before, and takes nothing after."""

    async def scenario() -> None:
        log = PredictionLog(tmp_path)
        writes = [asyncio.ensure_future(log.write([prediction(age=number)])) for number in range(20)]
        await asyncio.sleep(0)
        await log.drain()
        await asyncio.gather(*writes)
        with pytest.raises(StateError, match="the log is closed"):
            await log.write([prediction()])

    asyncio.run(scenario())

    assert len(read_predictions(tmp_path)) == 20


def test_compaction_keeps_every_record_once(tmp_path: Path) -> None:
    """Closed segments become Parquet with the same rows; running it again changes nothing."""
    log = PredictionLog(tmp_path, segment_bytes=500, columns=COLUMNS)
    for number in range(10):
        log.append([prediction(age=number, job="a", member=True)])
    before = read_predictions(tmp_path)
    first = compact(tmp_path)
    second = compact(tmp_path)
    log.close()
    third = compact(tmp_path)

    assert (first.rows + third.rows, first.active, second.segments, third.active) == (10, 1, 0, 0)
    assert_frame_equal(read_predictions(tmp_path), before)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_a_crash_between_rename_and_removal_doubles_nothing(tmp_path: Path) -> None:
    """With a segment and its Parquet file both there, records count once, and compaction finishes the work."""
    log = PredictionLog(tmp_path)
    log.append([prediction(age=1), prediction(age=2)])
    log.close()
    segment = next(tmp_path.glob("*.jsonl"))
    raw = segment.read_bytes()
    compact(tmp_path)
    segment.write_bytes(raw)
    both = read_predictions(tmp_path)
    compact(tmp_path)

    assert len(both) == len(read_predictions(tmp_path)) == 2
    assert not segment.exists()


def test_compaction_killed_at_any_write_loses_nothing(tmp_path: Path) -> None:
    """A compaction that is killed before it publishes leaves the segments, and the next one does the work."""
    log = PredictionLog(tmp_path)
    log.append([prediction(age=1)])
    log.close()
    script = (
        "import os, sys; from pathlib import Path\n"
        "import modelyard.serving.prediction_log.tables as tables\n"
        "tables.write_atomic = lambda path, content: os.kill(os.getpid(), 9)\n"
        "tables.compact(Path(sys.argv[1]))\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)
    between = read_predictions(tmp_path)

    assert killed.returncode == -9
    assert len(between) == 1
    assert compact(tmp_path).rows == 1
    assert_frame_equal(read_predictions(tmp_path), between)


def test_two_compactions_do_not_meet(tmp_path: Path) -> None:
    """A second compaction of the same folder is refused while one is at work."""
    with exclusive_lock(tmp_path / ".compaction.lock"), pytest.raises(LockedError):
        compact(tmp_path)


def test_torn_lines_are_reported_and_kept_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Readers say what they left out; compaction keeps the bytes beside the Parquet file."""
    log = PredictionLog(tmp_path)
    log.append([prediction(age=1)])
    log.close()
    segment = next(tmp_path.glob("*.jsonl"))
    with segment.open("ab") as stream:
        stream.write(b'{"id":"torn')
    with caplog.at_level(logging.WARNING, logger="modelyard.serving"):
        frame = read_predictions(tmp_path)

    assert len(frame) == 1
    assert "1 torn lines were left out" in caplog.text
    assert [line.raw for line in torn_lines(tmp_path)] == [b'{"id":"torn']
    assert compact(tmp_path).torn == 1
    assert segment.with_suffix(".torn").read_bytes() == b'{"id":"torn'


def test_an_empty_log_has_the_fixed_columns(tmp_path: Path) -> None:
    """Before the first prediction there is an empty table, not an error; also for a folder that is not there."""
    assert read_predictions(tmp_path / "none").columns[:3] == ["id", "at", "model"]
    assert read_feedback(tmp_path).to_dict(as_series=False) == {"id": [], "label": [], "at": []}
    assert compact(tmp_path / "none").segments == 0


def test_later_feedback_corrects_earlier(tmp_path: Path) -> None:
    """Of two labels for one prediction the later counts, and both spellings of a label are text."""
    rows: list[dict[str, Any]] = [
        {"id": "a", "label": "No", "at": "2026-01-01T00:00:00+00:00"},
        {"id": "b", "label": 3.5, "at": "2026-01-01T00:00:00+00:00"},
        {"id": "a", "label": "Yes", "at": "2026-01-02T00:00:00+00:00"},
    ]

    assert record_feedback(tmp_path, rows) == 3
    assert dict(read_feedback(tmp_path).select("id", "label").sort("id").iter_rows()) == {"a": "Yes", "b": "3.5"}


def test_labels_join_their_predictions(tmp_path: Path) -> None:
    """Predictions and labels join by id; those without a label stay out."""
    log = PredictionLog(tmp_path)
    first, second = prediction(age=1), prediction(age=2)
    log.append([first, second])
    log.close()
    record_feedback(tmp_path, [{"id": second["id"], "label": "Yes", "at": "2026-01-01T00:00:00Z"}])
    joined = read_predictions(tmp_path).join(read_feedback(tmp_path), on="id", suffix="_true")

    assert joined.select("feature.age", "label", "label_true").rows() == [(2.0, "No", "Yes")]


def test_a_column_that_changes_its_type_becomes_text(tmp_path: Path) -> None:
    """Two models whose columns differ in kind share a log; nothing is lost."""
    for kind, value in (("numeric", 1.5), ("category", "high")):
        log = PredictionLog(tmp_path, columns={"income": kind})
        log.append([prediction(income=value)])
        log.close()

    assert sorted(read_predictions(tmp_path)["feature.income"]) == ["1.5", "high"]


CELLS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.sampled_from([*COLUMNS, "other"]), CELLS), min_size=1, max_size=5))
def test_whatever_was_sent_is_kept(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    """Any mixture of JSON values is logged, read, compacted and read again: same ids, same table."""
    folder = tmp_path_factory.mktemp("log")
    log = PredictionLog(folder, columns=COLUMNS)
    records = [prediction(**row) for row in rows]
    log.append(records)
    log.close()
    before = read_predictions(folder)
    compact(folder)

    assert sorted(before["id"]) == sorted(record["id"] for record in records)
    assert_frame_equal(read_predictions(folder), before)


def test_a_log_on_a_full_disk_heals(tmp_path: Path) -> None:
    """While the disk refuses, writes fail and nothing of them is kept; afterwards the same log goes on."""
    script = (
        "import asyncio, resource, sys; from pathlib import Path\n"
        "from modelyard.core import StateError\n"
        "from modelyard.serving import LogKind, PredictionLog\n"
        "log = PredictionLog(Path(sys.argv[1]), LogKind.FEEDBACK)\n"
        "async def main():\n"
        "    await log.write([{'id': 'a'}])\n"
        "    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))\n"
        "    for _ in range(2):\n"
        "        try:\n            await log.write([{'id': 'b', 'text': 'x' * 500}])\n"
        "        except StateError as error:\n            print(error.got, log.is_failing)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))\n"
        "    await log.probe()\n"
        "    await log.write([{'id': 'c'}])\n"
        "    print(log.is_failing)\n"
        "asyncio.run(main())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )

    assert result.stdout == "File too large True\nFile too large True\nFalse\n"
    assert sorted(read_feedback(tmp_path)["id"]) == ["a", "c"]
    assert torn_lines(tmp_path) == ()


def test_reading_and_compacting_beside_a_writer(tmp_path: Path) -> None:
    """While one thread writes and rotates and another compacts, every reading has no doubles and loses nothing."""
    log = PredictionLog(tmp_path, segment_bytes=2_000, columns=COLUMNS)
    written = 0
    stop = threading.Event()

    def compact_over_and_over() -> None:
        while not stop.is_set():
            compact(tmp_path)

    compacting = threading.Thread(target=compact_over_and_over)
    compacting.start()
    try:
        for _ in range(25):
            log.append([prediction(age=written + number) for number in range(4)])
            written += 4
            ages = read_predictions(tmp_path)["feature.age"].to_list()

            assert sorted(ages) == list(range(written))
    finally:
        stop.set()
        compacting.join(timeout=30)
        log.close()
    compact(tmp_path)

    assert sorted(read_predictions(tmp_path)["feature.age"]) == list(range(written))
    assert list(tmp_path.glob("*.jsonl")) == []
