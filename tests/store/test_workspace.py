import json
import threading
from pathlib import Path

import pytest

from modelyard.core import ConfigError, IntegrityError, LockedError
from modelyard.store import Workspace


def test_nothing_is_written_by_looking(tmp_path: Path) -> None:
    """A workspace that is only asked leaves no trace."""
    workspace = Workspace(tmp_path)

    assert workspace.pointer("run") is None
    assert workspace.folder("runs", "abc") == tmp_path / ".modelyard" / "runs" / "abc"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("id_", ["../x", "a/b", "", ".hidden", "x\n", "/etc"])
def test_no_id_leads_out_of_the_folder(tmp_path: Path, id_: str) -> None:
    """Ids with separators or a leading dot are refused; the empty id is the folder of the kind."""
    workspace = Workspace(tmp_path)
    if id_ == "":
        assert workspace.folder("runs", id_) == workspace.state / "runs"
        return
    with pytest.raises(ConfigError, match="letters, digits"):
        workspace.folder("runs", id_)


def test_whoever_holds_the_lock_clears_up_after_the_dead(tmp_path: Path) -> None:
    """Half-made runs and files of a command that was killed go; an interrupted search and whole records stay."""
    workspace = Workspace(tmp_path)
    runs, audits = workspace.folder("runs"), workspace.folder("audits")
    for folder in (runs / "one", runs / ".two.x7k2_9ab", runs / ".search-0123456789abcdef", audits / "three"):
        folder.mkdir(parents=True)
    (audits / "three" / ".audit.html.0123456789abcdef").touch()
    with workspace.lock():
        left = {path.name for path in workspace.state.rglob("*") if path.is_dir()}

    assert left == {"runs", "one", ".search-0123456789abcdef", "audits", "three"}
    assert list((audits / "three").iterdir()) == []


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    """The kinds are named."""
    with pytest.raises(ConfigError, match="datasets, splits"):
        Workspace(tmp_path).folder("secrets")


def test_pointers_are_kept(tmp_path: Path) -> None:
    """The last value of each name counts, for other workspaces on the folder as well."""
    workspace = Workspace(tmp_path)
    workspace.point("run", "a")
    workspace.point("split", "b")
    workspace.point("run", "c")

    assert (Workspace(tmp_path).pointer("run"), Workspace(tmp_path).pointer("split")) == ("c", "b")


def test_no_pointer_is_lost_when_many_point_at_once(tmp_path: Path) -> None:
    """Eight threads set 10 pointers each; all 80 are there."""

    def point(worker: int) -> None:
        for number in range(10):
            Workspace(tmp_path).point(f"p{worker}-{number}", "x")

    threads = [threading.Thread(target=point, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(json.loads((tmp_path / ".modelyard" / "pointers.json").read_text(encoding="utf-8"))) == 80


@pytest.mark.parametrize("content", ["", "[1]", '{"run": 7}', "\x00"])
def test_damaged_pointers_are_a_clear_error(tmp_path: Path, content: str) -> None:
    """A file of pointers that is none says which commands write it again, and is not overwritten."""
    workspace = Workspace(tmp_path)
    workspace.point("run", "a")
    (workspace.state / "pointers.json").write_text(content, encoding="utf-8")
    with pytest.raises(IntegrityError, match="the pointers are damaged"):
        workspace.pointer("run")
    with pytest.raises(IntegrityError):
        workspace.point("run", "b")

    assert (workspace.state / "pointers.json").read_text(encoding="utf-8") == content


def test_the_lock_is_held_by_one(tmp_path: Path) -> None:
    """A second holder is refused at once; afterwards the lock is free."""
    with Workspace(tmp_path).lock(), pytest.raises(LockedError, match="another command"), Workspace(tmp_path).lock():
        pass
    with Workspace(tmp_path).lock():
        pass
