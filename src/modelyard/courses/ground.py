"""What every course stands on: the project's question and state, and the few steps that are alike."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from modelyard import governance, store
from modelyard.core import (
    Actor,
    ConfigError,
    Finding,
    Progress,
    Record,
    Severity,
    StateError,
    new_id,
    silent,
    worst_severity,
    write_json_atomic,
)
from modelyard.core.files import atomic_file
from modelyard.courses.outcome import Outcome
from modelyard.data import Split, enter_source, load_split, open_version, read_source, version_record
from modelyard.data.version import DatasetVersion, StoredDataset
from modelyard.problem import Problem, lint_problem
from modelyard.report import Page, render_html

if TYPE_CHECKING:
    from modelyard.packaging import Package

__all__ = ["Ground", "listed_findings"]

R = TypeVar("R", bound=Record)

_ASKED_OF_ALL = frozenset(("objective", "owner", "collection", "metric-undefined"))
"""Findings about the question that have a meaning for every task; the others speak of decisions row by row."""

_WRITERS = {".csv": "write_csv", ".jsonl": "write_ndjson", ".parquet": "write_parquet"}


@dataclasses.dataclass(frozen=True)
class Ground:
    """A project's question, state and actor.

    Parameters
    ----------
    problem, workspace, actor
        The project's.
    progress
        Receives progress events.
    """

    problem: Problem
    workspace: store.Workspace
    actor: Actor
    progress: Progress = silent

    def enter(self) -> StoredDataset:
        """The source as it is now, as a version."""
        version = enter_source(self.problem, self.workspace)
        self.workspace.point("dataset", version.id)
        return open_version(version.id, self.workspace)

    def keep(self, split: Split) -> Split:
        """Let the project point to a split."""
        self.workspace.point("split", split.record.id)
        return split

    def split(self) -> Split:
        """The split of the newest run."""
        return load_split(self.pointer("split", "audit"), self.workspace)

    def pointer(self, name: str, command: str) -> str:
        """What a pointer shows to.

        Raises
        ------
        StateError
            With the command that sets it.
        """
        value = self.workspace.pointer(name)
        if value is None:
            raise StateError(
                f"there is no {name} yet", where=str(self.workspace.root), cure=f"Run: modelyard {command}"
            )
        return value

    def permit(self, permission: str) -> None:
        """Refuse an actor who may not."""
        governance.require_permission(self.actor, permission)

    def note(self, action: str, subject: str, details: Mapping[str, object]) -> None:
        """A row in the ledger."""
        self.workspace.ledger.append(self.actor, action, subject, details)

    def finished(self, run_id: str, details: Mapping[str, object]) -> None:
        """A run is complete: the ledger says so, and the project points to it."""
        self.note("run.finished", run_id, details)
        self.workspace.point("run", run_id)

    def evaluated(self, run_id: str, result: Record, *, opened: bool) -> None:
        """A run is measured: its figures as a file, a row in the ledger, the project's pointer."""
        write_json_atomic(self.workspace.folder("evaluations", run_id) / "evaluation.json", result.to_dict())
        self.note("run.evaluated", run_id, {"test_opened": opened})
        self.workspace.point("evaluation", run_id)

    def package_folder(self) -> tuple[str, Path]:
        """The number that the registry will give next, and where its package shall lie."""
        name = self.problem.name
        version = str(governance.Registry(self.workspace).next_version(name))
        return version, self.workspace.folder("packages", f"{name}-{version}-{new_id()[-6:]}")

    def packaged(self, package: "Package") -> None:
        """A package is built: the ledger says so, and the project points to it."""
        manifest = package.manifest
        self.note("package.built", manifest.digest, {"folder": package.folder.name, "run": manifest.run_id})
        self.workspace.point("package", package.folder.name)

    def released(self, version: int | None) -> "Package | None":
        """The package of a version, else of the one in production; None if there is none yet.

        Raises
        ------
        StateError
            If there is no such version.
        IntegrityError
            If a byte has changed.
        """
        registry, name = governance.Registry(self.workspace), self.problem.name
        chosen = registry.production(name) if version is None else registry.version(name, version)
        return None if chosen is None else registry.package(chosen)

    def evaluation(self, kind: type[R], run_id: str) -> R:
        """The newest evaluation of a run.

        Raises
        ------
        StateError
            If the run was not evaluated yet.
        """
        path = self.workspace.folder("evaluations", run_id) / "evaluation.json"
        if not path.exists():
            raise StateError("the run was not evaluated yet", where=f"run {run_id}", cure="Run: modelyard evaluate")
        return kind.from_dict(json.loads(path.read_text(encoding="utf-8")))

    def page(self, kind: str, id_: str, name: str, page: Page) -> Path:
        """Write a page of a kind, such as ``audits``; returns its path."""
        path = self.workspace.folder(kind, id_) / f"{name}.html"
        store_text(path, render_html(page))
        return path

    def checked(self, split: Split, metric: str) -> Outcome:
        """The outcome of ``check``: the question in a few lines."""
        version = version_record(split.record.dataset_id, self.workspace)
        asked = [finding for finding in lint_problem(self.problem) if finding.id in _ASKED_OF_ALL]
        findings = (*asked, *split.record.findings, *_infinities(version))
        worst = worst_severity(findings)
        rows = (
            (
                "task",
                f"{self.problem.task}" + (f", target {self.problem.data.target}" if self.problem.data.target else ""),
            ),
            ("metric", metric),
            ("data", f"version {version.id}, {version.rows:,} rows, {len(version.columns.columns)} columns"),
            ("split", split.record.reason),
            ("sealed", f"{split.test.size:,} test rows, opened {split.test.openings()} times"),
        )
        return Outcome(
            "The question can be asked." if worst is not Severity.ERROR else "The question has errors.",
            rows=rows,
            columns=("", ""),
            findings=findings,
            next_step="modelyard audit",
            refused=worst is Severity.ERROR,
            record={"task": self.problem.task.value, "split": split.record.to_dict(), "metric": metric}
            | {"findings": listed_findings(findings), "openings": split.test.openings()},
        )

    def read(self, source: Path | str, query: str | None) -> pl.DataFrame:
        """A table to answer for."""
        return read_source(source, query=query).frame

    def place_for(self, destination: Path | str, source: Path | str) -> Path:
        """Where a result goes, before anything is computed for it.

        Raises
        ------
        ConfigError
            If the ending is not known, or the source would be overwritten.
        """
        path = Path(destination)
        if path.suffix not in _WRITERS:
            raise ConfigError(
                "the result's format is not known", where=str(path), cure=f"Choose an ending: {', '.join(_WRITERS)}"
            )
        if path.is_dir() or (Path(source).exists() and path.exists() and path.samefile(source)):
            raise ConfigError(
                "the result would overwrite the source or a folder", where=str(path), cure="Choose another destination"
            )
        return path

    def write(self, frame: pl.DataFrame, place: Path) -> None:
        """Write a table by the ending of :meth:`place_for`, whole or not at all."""
        with atomic_file(place) as temporary:
            getattr(frame, _WRITERS[place.suffix])(temporary)


def _infinities(version: DatasetVersion) -> Iterator[Finding]:
    """A finding for each column in which infinities were read as missing."""
    for note in version.notes:
        if "infinite values" in note:
            yield Finding(
                "infinite-values",
                Severity.WARNING,
                note.split("'")[1],
                f"{note[0].upper()}{note[1:]}.",
                "They come from a division or an overflow at the source; as gaps they are filled or left out.",
                "Mend them at the source.",
                {},
                "D5",
            )


def store_text(path: Path, text: str) -> None:
    """Write a page."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def listed_findings(findings: Any) -> list[dict[str, Any]]:
    """Findings as data."""
    return [finding.to_dict() for finding in findings]
