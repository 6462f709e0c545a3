"""Segments hold whole records only, whatever happens to the process or the disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.core import ModelyardError
from modelyard.serving.prediction_log.segments import (
    LogKind,
    SegmentWriter,
    is_being_written,
    read_segment,
    segment_paths,
)


def test_records_come_back_in_order(tmp_path: Path) -> None:
    """What was appended is read in order, behind a header that names the columns' kinds."""
    writer = SegmentWriter(tmp_path, LogKind.PREDICTIONS, segment_bytes=10_000, columns={"age": "numeric"})
    writer.append(b'{"id":"1"}\n{"id":"2"}\n')
    writer.append(b'{"id":"3"}\n')
    writer.close()
    content = read_segment(segment_paths(tmp_path, LogKind.PREDICTIONS)[0])

    assert [record["id"] for record in content.records] == ["1", "2", "3"]
    assert content.header["columns"] == {"age": "numeric"}
    assert content.torn == ()


@pytest.mark.parametrize("tail", [b'{"id":"4","sc', b'{"id":"4"}', b"\xff\xfe\n", b"[1]\n"])
def test_torn_lines_are_left_out_and_reported(tmp_path: Path, tail: bytes) -> None:
    """A line that was cut short, lacks its end, or is no object is reported with its number, and not a record."""
    writer = SegmentWriter(tmp_path, LogKind.PREDICTIONS, segment_bytes=10_000)
    writer.append(b'{"id":"1"}\n')
    writer.close()
    path = segment_paths(tmp_path, LogKind.PREDICTIONS)[0]
    with path.open("ab") as stream:
        stream.write(tail)
    content = read_segment(path)

    assert [record["id"] for record in content.records] == ["1"]
    assert [(line.line, line.raw) for line in content.torn] == [(3, tail)]


def test_a_large_segment_is_followed_by_another(tmp_path: Path) -> None:
    """A segment that has reached its size is closed, and the next append starts a new one."""
    writer = SegmentWriter(tmp_path, LogKind.PREDICTIONS, segment_bytes=200)
    for number in range(8):
        writer.append(b'{"id":"%d","text":"%s"}\n' % (number, b"x" * 40))
    paths = segment_paths(tmp_path, LogKind.PREDICTIONS)
    active = [is_being_written(path) for path in paths]
    writer.close()

    assert sorted(active) == [False, False, True]
    assert sorted(r["id"] for path in paths for r in read_segment(path).records) == list("01234567")


def test_a_killed_writer_frees_its_segment(tmp_path: Path) -> None:
    """The kernel drops the lock of a process that dies, so its segment counts as closed."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from modelyard.serving.prediction_log.segments import LogKind, SegmentWriter\n"
        'w = SegmentWriter(Path(sys.argv[1]), LogKind.FEEDBACK, segment_bytes=1000); w.append(b\'{"id":"1"}\\n\')\n'
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)
    path = segment_paths(tmp_path, LogKind.FEEDBACK)[0]

    assert not is_being_written(path)
    assert [record["id"] for record in read_segment(path).records] == ["1"]


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """When the disk takes only a part of a batch, the part is cut off again and smaller records still fit."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from modelyard.serving.prediction_log.segments import LogKind, SegmentWriter\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "w = SegmentWriter(Path(sys.argv[1]), LogKind.FEEDBACK, segment_bytes=1000)\n"
        'w.append(b\'{"id":"1"}\\n\')\n'
        'try:\n    w.append(b\'{"id":"2","text":"\' + b\'x\' * 500 + b\'"}\\n\')\n'
        "except OSError as error:\n    print(error.strerror)\n"
        'w.append(b\'{"id":"3"}\\n\')\n'
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    content = read_segment(segment_paths(tmp_path, LogKind.FEEDBACK)[0])

    assert result.stdout == "File too large\n"
    assert [record["id"] for record in content.records] == ["1", "3"]
    assert content.torn == ()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A log folder that cannot be made is a clear error at once."""
    (tmp_path / "log").write_text("", encoding="utf-8")

    with pytest.raises(ModelyardError, match="the log folder cannot be made"):
        SegmentWriter(tmp_path / "log", LogKind.FEEDBACK, segment_bytes=1000)


def test_a_newer_protocol_is_refused(tmp_path: Path) -> None:
    """A segment of another protocol is not guessed at."""
    (tmp_path / "feedback-1.jsonl").write_text('{"protocol":99}\n', encoding="utf-8")

    with pytest.raises(ModelyardError, match="protocol 99, this version reads 1"):
        read_segment(tmp_path / "feedback-1.jsonl")


def test_segments_are_not_for_everybody(tmp_path: Path) -> None:
    """Others than the owner and the group cannot read a segment: it holds people's data."""
    writer = SegmentWriter(tmp_path, LogKind.PREDICTIONS, segment_bytes=1000)
    writer.append(b"{}\n")
    writer.close()

    assert segment_paths(tmp_path, LogKind.PREDICTIONS)[0].stat().st_mode & 0o007 == 0
