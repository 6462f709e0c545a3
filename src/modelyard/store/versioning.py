"""What a project's git keeps that it should not: models and other large artefacts belong into the package store."""

import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from modelyard.core import Finding, Severity, write_atomic

__all__ = ["ask_git", "keep_out_of_git", "tracked_artefacts"]

_GIT_TIMEOUT_S = 10
_STATE = ".modelyard"
_IGNORED = f"# models, data versions and the ledger: not for version control\n/{_STATE}/\n"
_MODEL_BYTES = 100_000
_LARGE_BYTES = 10_000_000
_MODELS = frozenset(
    [
        ".bin",
        ".cbm",
        ".ckpt",
        ".gguf",
        ".h5",
        ".hdf5",
        ".joblib",
        ".keras",
        ".msgpack",
        ".npy",
        ".npz",
        ".onnx",
        ".pb",
        ".pickle",
        ".pkl",
        ".pt",
        ".pth",
        ".safetensors",
        ".skops",
        ".tflite",
        ".ubj",
    ]
)
_SHOWN = 20


def keep_out_of_git(root: Path) -> None:
    """Let the project's ``.gitignore`` name its state; a file that is there gets one more line, or none if it does.

    Raises
    ------
    ModelyardError
        If the file cannot be written.
    """
    path = root / ".gitignore"
    known = path.read_text(encoding="utf-8") if path.is_file() else ""
    if _STATE in {line.strip().strip("/") for line in known.splitlines()}:
        return
    before = known if not known or known.endswith("\n") else f"{known}\n"
    write_atomic(path, before + _IGNORED)


def tracked_artefacts(root: Path) -> tuple[Finding, ...]:
    """One finding if git tracks artefacts in the project's folder; none without git or outside a repository.

    An artefact is whatever lies in ``.modelyard``, a model file of 100 kB or more by its name, and any file of 10 MB or
    more. Sizes are those that git stores, so a pointer of Git LFS is no large file.
    """
    found = sorted(((size, path) for path, size in _tracked(root) if _is_artefact(path, size)), reverse=True)
    if not found:
        return ()
    files = {path: size for size, path in found[:_SHOWN]}
    largest, size = next(iter(files.items()))
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        Finding(
            id="artefact-in-git",
            severity=Severity.WARNING,
            subject=largest,
            message=f"git tracks {largest} ({_in_words(size)}){more}.",
            why="Every version of it stays in the history for good, and nothing says which data and run it came from.",
            action="Take it out of version control (git rm --cached), add it to .gitignore, and keep models as packages.",
            evidence={"files": files, "count": len(found), "bytes": sum(size for size, _ in found)},
            row="K8",
        ),
    )


def _is_artefact(path: str, size: int) -> bool:
    pure = PurePosixPath(path)
    if _STATE in pure.parts:
        return True
    return size >= (_MODEL_BYTES if pure.suffix.lower() in _MODELS else _LARGE_BYTES)


def _tracked(root: Path) -> Iterator[tuple[str, int]]:
    """Path and size of every file that git tracks below the folder."""
    listed = ask_git(root, "ls-files", "--stage", "-z")
    entries = [entry.split("\t", 1) for entry in listed.split("\0") if entry]
    blobs = [facts.split()[1] for facts, _ in entries]
    sizes = (
        ask_git(root, "cat-file", "--batch-check=%(objectsize)", given="\n".join(blobs)).split("\n") if blobs else []
    )
    for (_, path), size in zip(entries, sizes, strict=False):
        if size.isdigit():  # a submodule is no object here
            yield path, int(size)


def ask_git(root: Path, *words: str, given: str = "") -> str:
    """What git answers to these words in a folder; nothing if there is no git, no repository, no answer, or it takes long.

    Parameters
    ----------
    given
        Standard input.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the words are those of callers, not of users
            ["git", *words],  # noqa: S607 - the git that the user has
            cwd=root,
            input=given.encode(),
            capture_output=True,
            check=False,
            timeout=_GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace") if done.returncode == 0 else ""


def _in_words(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= _MODEL_BYTES else f"{size / 1e3:.1f} kB"
