"""A folder with one project in it, and the command line in processes of its own."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

QUICK: Mapping[str, Any] = {
    "owner": "ada",
    "monitoring": {"window": "batch"},
    # One worker without a limit computes in the process itself: two test workers already fill two cores.
    "training": {"tuning_rounds": 2, "families": ["linear", "lightgbm"], "workers": 1, "unit_minutes": None},
}
"""What every project here sets, so that it is affordable; the search of a real project is wider."""

TIME_LIMIT_S = 240


@dataclasses.dataclass(frozen=True)
class Answer:
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def record(self) -> Any:
        """The record that ``--json`` printed."""
        return json.loads(self.stdout)

    def sentence(self, code: int) -> str:
        """The one line with which a command refused: what and the cure; no traceback, nothing on stdout."""
        assert self.exit_code == code, self.stderr[-2000:]
        assert self.stdout == ""
        assert self.stderr.startswith("modelyard: "), self.stderr[-2000:]
        assert self.stderr.count("\n") == 1, self.stderr[-2000:]
        what, _, cure = self.stderr.strip().rpartition(". ")
        assert what
        assert len(cure) > len("Mend it."), self.stderr
        return self.stderr


@dataclasses.dataclass(frozen=True)
class Yard:
    """A folder with tables and one project, ``model``, which tests drive by Python or by command."""

    folder: Path

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.folder / "model"

    def configure(self, **changes: Any) -> None:
        """Write the overlay ``quick``: the affordable search, with sections replaced or extended by ``changes``."""
        merged = {key: dict(value) if isinstance(value, Mapping) else value for key, value in QUICK.items()}
        for key, value in changes.items():
            merged[key] = {**merged.get(key, {}), **value} if isinstance(value, Mapping) else value
        (self.root / "modelyard.quick.yaml").write_text(json.dumps(merged), encoding="utf-8")

    def new(self, source: Path | str, target: str, /, **changes: Any) -> Answer:
        """``modelyard new``, and the overlay."""
        answer = self._run(_new(source, target))
        if answer.exit_code == 0:
            self.configure(**changes)
        return answer

    def run(self, *arguments: str | Path, token: str | None = None, before: Callable[[], None] | None = None) -> Answer:
        """Run a command on the project, with the overlay; ``before`` is called in its process."""
        return self._run(self._on_project(arguments), token, before)

    def start(self, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        """Start a command in a session of its own, so that it can be killed with all it started."""
        return self._start(self._on_project(arguments))

    def start_new(self, source: Path | str, target: str, /) -> "subprocess.Popen[bytes]":
        """Start ``modelyard new`` in the same way."""
        return self._start(_new(source, target))

    def _start(self, words: Sequence[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            cwd=self.folder,
            start_new_session=True,
        )

    def done(self, *arguments: str | Path, token: str | None = None) -> Any:
        """The record of a command that must succeed, without a word on stderr."""
        answer = self.run(*arguments, token=token)
        assert (answer.exit_code, answer.stderr) == (0, "")
        return answer.record

    def refused(self, *arguments: str | Path, code: int = 2, before: Callable[[], None] | None = None) -> str:
        """The sentence with which a command on the project ends."""
        return self.run(*arguments, before=before).sentence(code)

    def _on_project(self, arguments: Sequence[str | Path]) -> list[str]:
        return _command(*arguments, "--project", self.root, "--env", "quick")

    def _run(self, words: Sequence[str], token: str | None = None, before: Callable[[], None] | None = None) -> Answer:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT_S,
            env=_environment(token),
            cwd=self.folder,
            preexec_fn=before,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


def found(report: Mapping[str, Any], *severities: str) -> set[tuple[str, str]]:
    """(check, subject) of the findings in a report's record; of some severities only, if any are given."""
    return {
        (item["id"], item["subject"]) for item in report["findings"] if not severities or item["severity"] in severities
    }


def _new(source: Path | str, target: str) -> list[str]:
    return _command("new", "model", "--data", source, "--target", target)


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "modelyard", *map(str, arguments), "--json"]


def _environment(token: str | None = None) -> dict[str, str]:
    """One thread, and nobody's token but the given one."""
    kept = {key: value for key, value in os.environ.items() if key != "MODELYARD_TOKEN"}
    return {**kept, "OMP_NUM_THREADS": "1"} | ({"MODELYARD_TOKEN": token} if token else {})
