import copy
import pickle
from collections.abc import Callable

import polars as pl
import pytest

from modelyard.core import Actor, ConfigError, IntegrityError, StateError
from modelyard.data import Dataset, SealedTest, make_split
from modelyard.problem import Problem
from modelyard.store import Workspace

MARK = "sealed-row"


@pytest.fixture
def sealed(
    problem: Callable[..., Problem], stored: Callable[[pl.DataFrame], Dataset], workspace: Workspace, actor: Actor
) -> SealedTest:
    """The sealed part of a table whose test rows carry a mark."""
    frame = pl.DataFrame(
        {
            "part": ["train"] * 8 + ["validation"] * 2 + ["test"] * 4,
            "note": ["plain"] * 10 + [MARK] * 4,
            "y": [0, 1] * 7,
        }
    )
    plan = {"strategy": "column", "column": "part"}
    return make_split(stored(frame), problem("y", split=plan), workspace, actor).test


def test_opening_gives_the_rows_and_is_counted(sealed: SealedTest, workspace: Workspace, actor: Actor) -> None:
    """Each opening gives the same rows and leaves a line with actor, reason and digest."""
    assert sealed.openings() == 0
    rows = sealed.open("final evaluation", actor)
    again = sealed.open(" a second look ", actor)

    assert rows.equals(again)
    assert rows["note"].to_list() == [MARK] * 4
    assert (sealed.size, len(sealed), sealed.openings()) == (4, 4, 2)
    lines = workspace.ledger.rows(action="test.opened", subject=sealed.digest)
    assert [(line.actor, line.details["reason"]) for line in lines] == [
        ("ada", "final evaluation"),
        ("ada", "a second look"),
    ]


def test_a_piece_of_work_opens_it_once(sealed: SealedTest, workspace: Workspace, actor: Actor) -> None:
    """What was killed and begins anew is no second look; other work, and a call without any, are."""

    def handed_out(work: str) -> SealedTest:
        return SealedTest(sealed.digest, sealed.size, workspace, work=work)

    first = handed_out("a").open("a card", actor)
    again = handed_out("a").open("a card", actor)
    assert first.equals(again)
    assert sealed.openings() == 1

    handed_out("b").open("a card", actor)
    sealed.open("a card", actor)
    assert sealed.openings() == 3


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_it_stays_shut(sealed: SealedTest, actor: Actor, reason: str) -> None:
    """An empty reason opens nothing and is not counted."""
    with pytest.raises(ConfigError, match="opens only for a reason"):
        sealed.open(reason, actor)

    assert sealed.openings() == 0


def test_no_attribute_gives_rows(sealed: SealedTest) -> None:
    """All that can be had without opening are a size, a digest and a count."""
    public = {name for name in dir(sealed) if not name.startswith("_")}

    assert public == {"size", "digest", "open", "openings"}
    assert not hasattr(sealed, "__dict__")
    for name in dir(SealedTest):
        value = getattr(sealed, name, None)
        assert not isinstance(value, pl.DataFrame | bytes)
    assert MARK not in f"{sealed!r} {sealed}"
    assert repr(sealed) == f"SealedTest(size=4, digest='{sealed.digest[:12]}')"


@pytest.mark.parametrize("attempt", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_is_neither_copied_nor_pickled(sealed: SealedTest, attempt: Callable[[object], object]) -> None:
    """No second way to the rows can be made, nor sent to another process."""
    with pytest.raises(StateError, match="neither copied nor pickled"):
        attempt(sealed)


def test_changed_rows_are_not_opened(sealed: SealedTest, workspace: Workspace, actor: Actor) -> None:
    """If the stored bytes are others, nothing comes out, and the failed attempt costs no opening."""
    path = workspace.objects.path(sealed.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"!")

    with pytest.raises(IntegrityError, match="not what was sealed"):
        sealed.open("final evaluation", actor)

    assert sealed.openings() == 0


def test_the_line_is_written_before_the_rows_are_read(
    sealed: SealedTest, workspace: Workspace, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the ledger refuses the line, no row is read."""
    reads: list[str] = []
    read = workspace.objects.read

    def spy(digest: str) -> bytes:
        reads.append(digest)
        assert sealed.openings() == 1
        return read(digest)

    def refuse(*_: object, **__: object) -> None:
        raise StateError("the ledger is full")

    with monkeypatch.context() as patch:
        patch.setattr(workspace.objects, "read", spy)
        patch.setattr(workspace.ledger, "append", refuse)
        with pytest.raises(StateError, match="ledger is full"):
            sealed.open("final evaluation", actor)
        assert reads == []
    monkeypatch.setattr(workspace.objects, "read", spy)
    sealed.open("final evaluation", actor)

    assert reads == [sealed.digest]
