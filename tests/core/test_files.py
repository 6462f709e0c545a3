"""Files are whole or absent."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelyard.core import (
    LockedError,
    ModelyardError,
    atomic_directory,
    exclusive_lock,
    remove_directory,
    remove_unfinished,
    write_atomic,
)


def test_write_replaces_the_whole_file(tmp_path: Path) -> None:
    """The second content replaces the first, and no temporary file stays behind."""
    target = tmp_path / "a" / "file.txt"
    write_atomic(target, "one")
    write_atomic(target, b"two")

    assert target.read_bytes() == b"two"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


def test_what_was_left_half_done_is_removed(tmp_path: Path) -> None:
    """The temporary names of both writers, here and one folder below; nothing else, hidden or not."""
    for name in ("run", ".search-0123456789abcdef", ".forecast-01a1ff91-9b21-7ca7-bc52-fb430c5f6538"):
        write_atomic(tmp_path / name / "file.json", "{}")
    with atomic_directory(tmp_path / "other") as building:
        shutil.copytree(building, tmp_path / building.name.replace("other", "dead"))
    shutil.rmtree(tmp_path / "other")
    write_atomic(tmp_path / "run" / ".file.json.0123456789abcdef", "half")
    assert len(list(tmp_path.iterdir())) == 4
    remove_unfinished(tmp_path)

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        ".forecast-01a1ff91-9b21-7ca7-bc52-fb430c5f6538/file.json",
        ".search-0123456789abcdef/file.json",
        "run/file.json",
    ]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_removal_that_is_cut_short_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while the files go, the folder is gone under its name, and the next sweep takes the rest."""
    write_atomic(tmp_path / ".search-0123456789abcdef" / "file.json", "{}")

    def die(_: Path, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        remove_directory(tmp_path / ".search-0123456789abcdef")
    monkeypatch.undo()
    (left,) = tmp_path.iterdir()

    assert left.name != ".search-0123456789abcdef"
    remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []
    remove_directory(tmp_path / ".search-0123456789abcdef")  # what is not there is no error


def test_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    """A write beyond the size limit (as on a full disk) fails with a cure, and the old content stays."""
    target = tmp_path / "file.txt"
    write_atomic(target, "old")
    script = (
        "import resource, signal, sys; from pathlib import Path; from modelyard.core import write_atomic, ModelyardError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try:\n    write_atomic(Path(sys.argv[1]), 'x' * 1000)\n"
        "except ModelyardError as error:\n    print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=True, timeout=60
    )

    assert "the file could not be written" in result.stdout
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_directory_appears_only_when_complete(tmp_path: Path) -> None:
    """A block that raises publishes nothing and leaves nothing."""

    def fail_halfway() -> None:
        with atomic_directory(tmp_path / "made") as folder:
            (folder / "half").write_text("x", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()

    assert list(tmp_path.iterdir()) == []


def test_directory_is_published_whole(tmp_path: Path) -> None:
    """A block that ends well appears under its name."""
    with atomic_directory(tmp_path / "made") as folder:
        (folder / "file").write_text("x", encoding="utf-8")

    assert (tmp_path / "made" / "file").read_text(encoding="utf-8") == "x"


def test_second_holder_of_a_lock_is_told_who_holds_it(tmp_path: Path) -> None:
    """The error names the process that holds the lock."""
    script = (
        "import sys, time; from pathlib import Path; from modelyard.core import exclusive_lock\n"
        "with exclusive_lock(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    lock = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {holder.pid}"), exclusive_lock(lock):
            pass
        holder.communicate("")

    with exclusive_lock(lock):
        pass


def test_errors_map_to_exit_codes() -> None:
    """Every error of the tree has an exit code and an HTTP status of its own family."""
    pending = [ModelyardError]
    seen = set()
    while pending:
        kind = pending.pop()
        seen.add((kind.__name__, kind.exit_code, kind.http_status))
        pending.extend(kind.__subclasses__())

    assert ("GateRefusedError", 3, 409) in seen
    assert {code for _, code, _ in seen} == {1, 2, 3, 4, 5}
