"""Two commands at once on one project: one waits or is told to, and both leave a whole state."""

import subprocess
from collections.abc import Callable

import pytest
from tests.bad_input.conftest import FaultyYard

from modelyard.store import Ledger, Workspace


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("train", "train"),
        ("evaluate", "audit"),
        pytest.param("package", "package", marks=pytest.mark.slow),
        ("register", "register"),
    ],
)
def test_two_at_once(stage: Callable[[str], FaultyYard], first: str, second: str) -> None:
    """Both succeed, or one does and the other says that another command is at work."""
    yard = stage(first)
    processes = [yard.start(command) for command in (first, second)]
    errors = [process.communicate()[1].decode() for process in processes]
    codes = [process.returncode for process in processes]

    assert 0 in codes
    for code, error in zip(codes, errors, strict=True):
        assert (code, error) == (0, "") or (
            code == 2 and error.count("\n") == 1 and "another command is at work on this project" in error
        )

    again = yard.run(second)
    assert (again.exit_code, again.stderr) == (0, "")
    yard.assert_sound()


def test_while_another_holds_the_lock(stage: Callable[[str], FaultyYard]) -> None:
    """A command that changes something is refused at once; one that only looks is not."""
    yard = stage("train")
    with Workspace(yard.root).lock():
        sentence = yard.refused("train")
        status = yard.run("status")

    assert "another command is at work on this project" in sentence
    assert "Wait until it ends" in sentence
    assert status.exit_code == 0


def test_five_at_once_append_to_one_ledger(stage: Callable[[str], FaultyYard]) -> None:
    """Tokens for five people, made at once: five rows, one chain."""
    yard = stage("train")
    ledger = Ledger.open(yard.root / ".modelyard" / "ledger.db")
    before = ledger.verify().rows
    processes: list[subprocess.Popen[bytes]] = [
        yard.start("token", f"person-{number}", "--role", "viewer") for number in range(5)
    ]
    codes = [(process.communicate()[1], process.returncode) for process in processes]

    assert codes == [(b"", 0)] * 5
    assert ledger.verify().to_dict() == {**ledger.verify().to_dict(), "ok": True, "rows": before + 5}
