"""Model files stay out of version control: what git tracks is found, and a new project's state is ignored from the start."""

import os
import subprocess
from pathlib import Path

import pytest

from modelyard.store import keep_out_of_git, tracked_artefacts

GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True, env=os.environ | GIT)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project in it, in a folder of its own."""
    _git(tmp_path, "init", "-q")
    (tmp_path / "churn").mkdir()
    return tmp_path / "churn"


def _write(root: Path, name: str, size: int) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_models_state_and_large_files_are_one_finding(repository: Path) -> None:
    """The largest first, each with its size; code, small models and what is not tracked are none."""
    for name, size in (
        ("modelyard.yaml", 300),
        ("report with blanks.ipynb", 10_000_000),
        ("models/old.pkl", 200_000),
        ("models/tiny.joblib", 99_999),
        (".modelyard/ledger.db", 50),
        ("data/table.csv", 9_999_999),
    ):
        _write(repository, name, size)
    _git(repository, "add", "-f", ".")
    _write(repository, "models/not tracked.pkl", 5_000_000)

    (finding,) = tracked_artefacts(repository)

    assert (finding.id, finding.subject, finding.row) == ("artefact-in-git", "report with blanks.ipynb", "K8")
    assert finding.evidence["files"] == {
        "report with blanks.ipynb": 10_000_000,
        "models/old.pkl": 200_000,
        ".modelyard/ledger.db": 50,
    }
    assert "(10.0 MB) and 2 more" in finding.message


def test_files_beside_the_project_are_not_its_own(repository: Path) -> None:
    """A repository may hold more than the project."""
    _write(repository.parent, "other.pkl", 1_000_000)
    _git(repository.parent, "add", ".")

    assert tracked_artefacts(repository) == ()


def test_pointers_to_large_files_are_small(repository: Path) -> None:
    """What counts is what git stores: 130 bytes for a file that Git LFS keeps, however large it lies there."""
    _write(repository, "model.pkl", 130)
    _git(repository, "add", ".")
    _write(repository, "model.pkl", 5_000_000)

    assert tracked_artefacts(repository) == ()


def test_outside_of_a_repository_there_is_nothing_to_find(tmp_path: Path) -> None:
    """Nor without commits, nor in a folder that is not there."""
    _write(tmp_path, "model.pkl", 5_000_000)

    assert tracked_artefacts(tmp_path) == ()
    assert tracked_artefacts(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("before", [None, "", "data/\n", "data/"])
def test_git_ignores_the_state_of_a_new_project(repository: Path, before: str | None) -> None:
    """Whether there is a `.gitignore` or not; what stood in it still does, and nothing is written twice."""
    if before is not None:
        (repository / ".gitignore").write_text(before)

    keep_out_of_git(repository)
    once = (repository / ".gitignore").read_text()
    keep_out_of_git(repository)
    _write(repository, ".modelyard/ledger.db", 10)
    _git(repository, "add", ".")

    assert (repository / ".gitignore").read_text() == once
    assert once.startswith(before or "")
    assert ("data/" in once.splitlines()) is bool(before)
    assert _git(repository, "ls-files").split() == [".gitignore"]


@pytest.mark.parametrize("line", [".modelyard", ".modelyard/", "/.modelyard/", "/.modelyard"])
def test_a_gitignore_that_knows_is_left_alone(tmp_path: Path, line: str) -> None:
    """However it is spelt."""
    (tmp_path / ".gitignore").write_text(f"x\n{line}\ny")

    keep_out_of_git(tmp_path)

    assert (tmp_path / ".gitignore").read_text() == f"x\n{line}\ny"
