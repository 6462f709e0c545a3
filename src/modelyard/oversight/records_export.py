"""Records for auditors, in one folder: what is kept about a model, for how long, and which clauses it supports."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelyard.core import ConfigError, Record, canonical_json, digest_file, write_atomic
from modelyard.governance import Registry, verify_ledger
from modelyard.oversight.change_page import markdown
from modelyard.oversight.changes import changes_between
from modelyard.oversight.crosswalk import CROSSWALK
from modelyard.oversight.inventory import entry_of
from modelyard.oversight.sites import Site
from modelyard.problem import Problem
from modelyard.store import Ledger, Workspace

__all__ = ["RecordsExport", "export_records"]

_DECISIONS = (
    "gates.passed",
    "gates.refused",
    "version.validated",
    "version.approved",
    "version.approved_again",
    "version.rejected",
    "glass.broken",
    "glass.reviewed",
)
_LOG_FILES = ("predictions-*", "feedback-*", "gaps-*")


@dataclasses.dataclass(frozen=True)
class RecordsExport(Record):
    """What was written.

    Parameters
    ----------
    folder
        Where.
    files
        Path within it to SHA-256; ``contents.json`` holds the same.
    gaps
        What is missing or kept for too short a time, each in a sentence.
    keep_until
        The first day on which documents of today need not be kept any more.
    """

    folder: str
    files: dict[str, str]
    gaps: tuple[str, ...]
    keep_until: dt.date


def export_records(problem: Problem, workspace: Workspace, folder: Path, now: dt.datetime) -> RecordsExport:
    """Write everything that is recorded about a model, without rows of persons; it supports audits and replaces none.

    Raises
    ------
    ConfigError
        If the folder holds something already.
    IntegrityError
        If a package's bytes have changed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError("the folder holds something already", where=str(folder), cure="Name a new folder")
    gaps = tuple(_gaps(problem, workspace))
    until = _years_later(now.date(), problem.records.document_years)
    for name, content in _documents(problem, workspace, now):
        write_atomic(folder / name, content)
    workspace.ledger.export(folder / "ledger.jsonl")
    write_atomic(folder / "README.md", _readme(problem, gaps, until, now))
    files = {
        path.relative_to(folder).as_posix(): digest_file(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    write_atomic(folder / "contents.json", _json({"made": now.isoformat(), "gaps": gaps, "files": files}))
    return RecordsExport(str(folder), files, gaps, until)


def _documents(problem: Problem, workspace: Workspace, now: dt.datetime) -> Iterator[tuple[str, bytes | str]]:
    """Each file with its content."""
    registry = Registry(workspace)
    versions = registry.versions(problem.name)
    rows = [row.to_dict() for row in workspace.ledger.rows() if row.action in _DECISIONS]
    yield "decisions.json", _json(rows)
    yield "versions.json", _json([version.to_dict() for version in versions])
    yield "deployments.json", _json([item.to_dict() for item in registry.deployments(problem.name)])
    yield "crosswalk.json", _json([clause.to_dict() for clause in CROSSWALK])
    yield "inventory.json", _json(entry_of(Site(workspace.root, problem, workspace), now).to_dict())
    yield "plan.json", _json(_plan(problem))
    yield "log.json", _json(_log(workspace.folder("predictions"), problem))
    for version in versions:
        package = registry.package(version)
        for form in ("json", "md"):
            yield f"cards/{version.version}.{form}", package.read(f"card.{form}")
        yield f"manifests/{version.version}.json", _json(package.manifest.to_dict())
    for before, after in itertools.pairwise(versions):
        found = changes_between(workspace, problem, before.version, after.version)
        yield f"changes/{before.version}-{after.version}.md", markdown(found)


def _plan(problem: Problem) -> dict[str, Any]:
    """What the owner has declared about watching and answering for it."""
    parts = ("monitoring", "retraining", "policy", "log", "records", "dependencies", "deploy")
    people = {name: getattr(problem, name) for name in ("owner", "contact", "team", "escalation")}
    return {**people, **{name: getattr(problem, name).model_dump(mode="json") for name in parts}}


def _log(folder: Path, problem: Problem) -> dict[str, Any]:
    """The prediction log by reference: each file with its size, time and digest. What it holds stays where it is."""
    paths = sorted(path for pattern in _LOG_FILES for path in folder.glob(pattern))
    return {
        "fields": ["id", "at", "model", "version", "digest", "score", "label", "flags", "role", "features"],
        "personal": dict(problem.log.personal),
        "files": [
            {
                "file": path.name,
                "bytes": path.stat().st_size,
                "written": dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC).isoformat(),
                "sha256": digest_file(path),
            }
            for path in paths
        ],
    }


def _gaps(problem: Problem, workspace: Workspace) -> Iterator[str]:
    """What an auditor would ask about."""
    keep, wanted = problem.log.keep_days, problem.records.log_days
    if keep is not None and keep < wanted:
        yield f"log.keep_days removes logged answers after {keep} days; records.log_days asks for {wanted}."
    if problem.log.on_full == "answer":
        yield "log.on_full lets answers leave without a record when the log takes nothing."
    for name in ("owner", "contact", "users", "out_of_scope"):
        if not getattr(problem, name):
            yield f"The project file does not say: {name}."
    for what in _broken(workspace.ledger):
        yield f"The ledger does not hold: {what}."
    for item in Registry(workspace).broken_glass(problem.name):
        if item.is_open:
            yield f"{item.subject} went past the gates, and nobody has reviewed that."


def _broken(ledger: Ledger) -> Iterator[str]:
    found = verify_ledger(ledger)
    if not found.ok:
        yield found.problem


def _readme(problem: Problem, gaps: tuple[str, ...], until: dt.date, now: dt.datetime) -> str:
    """What lies here, for whoever opens the folder."""
    lines = [
        f"# Records of {problem.name}",
        "",
        f"Made on {now:%Y-%m-%d %H:%M} UTC. These records support audits by the clauses below; that somebody complies is not claimed.",
        f"Keep documents until {until} at least, and logged answers for {problem.records.log_days} days.",
        "`contents.json` has the SHA-256 of every file. Rows of persons are not among them: the prediction log is named by digests.",
        "",
        "| record | file | supports | keep | of persons |",
        "|---|---|---|---|---|",
        *(
            f"| {item.record} | `{item.file}` | {', '.join(item.supports)} | {_kept(problem, item.retention)} | {item.personal} |"
            for item in CROSSWALK
        ),
        "",
        "## Gaps",
        "",
        *([f"- {gap}" for gap in gaps] or ["None was found."]),
    ]
    return "\n".join(lines) + "\n"


def _kept(problem: Problem, retention: str) -> str:
    return f"{problem.records.log_days} days" if retention == "log" else f"{problem.records.document_years} years"


def _years_later(day: dt.date, years: int) -> dt.date:
    """The same day of a later year; 1 March for 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)


def _json(content: Any) -> bytes:
    """JSON that is the same for the same content."""
    return canonical_json(content)
