"""A disk that is full: one sentence, and the project as it was."""

import dataclasses
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bad_input.conftest import FaultyYard

from modelyard import Project


def full_after(size_bytes: int) -> Callable[[], None]:
    """Let no file of a process grow beyond a size; writes fail with an error, as on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    return limit


@pytest.mark.parametrize(
    ("command", "size_bytes"),
    [
        pytest.param("train", 0, marks=pytest.mark.slow),
        ("train", 20_000),
        ("evaluate", 4_096),
        pytest.param("package", 20_000, marks=pytest.mark.slow),
        ("register", 0),
    ],
)
def test_full_disk(stage: Callable[[str], FaultyYard], command: str, size_bytes: int) -> None:
    """The command fails clearly; with space again it succeeds, and the ledger verifies."""
    yard = stage(command)
    project = Project.open(yard.root, env="quick")
    before = project.status()

    sentence = yard.refused(command, code=1, before=full_after(size_bytes))

    assert "space" in sentence
    assert dataclasses.replace(project.status(), ledger_rows=0) == dataclasses.replace(before, ledger_rows=0)
    assert leftovers(yard.root) == []

    answer = yard.run(command)
    assert (answer.exit_code, answer.stderr) == (0, "")
    yard.assert_sound()


def leftovers(root: Path) -> list[str]:
    """Temporary files that nobody will ever use; an interrupted search is kept on purpose."""
    return [
        str(path.relative_to(root))
        for path in root.rglob(".*")
        if path.name not in (".modelyard", ".gitignore") and not any(part.startswith(".search-") for part in path.parts)
    ]
