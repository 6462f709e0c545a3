"""The book of corrections: recorded in the ledger, kept with every line, undone by another row."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modelyard.core import (
    Actor,
    Clock,
    ConfigError,
    DataError,
    IntegrityError,
    StateError,
    digest_json,
    system_clock,
    write_json_atomic,
)
from modelyard.data.corrections.records import Correction, CorrectionLine, Verdict
from modelyard.data.corrections.rows import find_rows
from modelyard.data.corrections.sheet import read_sheet
from modelyard.data.splits import Split
from modelyard.problem import Problem, did_you_mean
from modelyard.store import Workspace

__all__ = ["CORRECTED", "corrections_in_force", "decided_rows", "lines_of", "record_correction", "undo_correction"]

CORRECTED = "data.corrected"
"""The ledger's word for a correction; its subject is the correction's id."""

_UNDONE = "data.correction_undone"
_RECORD, _LINES = "correction.json", "lines.json"
_ID_LENGTH = 12


def record_correction(
    path: Path,
    reason: str,
    split: Split,
    problem: Problem,
    workspace: Workspace,
    actor: Actor,
    *,
    clock: Clock = system_clock,
) -> Correction:
    """Read a reviewed sheet and record what it decides; a sheet that is in force already changes nothing.

    Parameters
    ----------
    path
        The sheet.
    reason
        Why, in a few words; it stands on the model card.
    split
        The current split, with the corrections so far. Its sealed part is not looked at: a line about a sealed row
        fits no readable row, is counted as not applied, and stays without effect.
    problem
        Resolved.

    Raises
    ------
    ConfigError
        If there is no reason.
    DataError
        If the sheet cannot be read or decides what cannot be, or none of its lines fits a row.
    """
    if not reason.strip():
        raise ConfigError("a correction needs a reason", where="--reason", cure='Give one: --reason "checked by phone"')
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise DataError("the sheet cannot be read", where=str(path), got=why, cure="Check the path") from error
    lines = read_sheet(path, raw, split, problem)
    digest = digest_json([line.to_dict() for line in lines])
    known = {item.id: item for item in corrections_in_force(workspace)}
    if digest[:_ID_LENGTH] in known:
        return known[digest[:_ID_LENGTH]]
    counts = _counted(lines, split, problem)
    _require_effect(counts, lines, path)
    record = Correction(
        id=digest[:_ID_LENGTH],
        at=clock(),
        by=actor.name,
        reason=reason.strip(),
        file=path.name,
        file_digest=workspace.objects.put_bytes(raw),
        lines_digest=digest,
        dataset_id=split.record.dataset_id,
        labels=counts[Verdict.LABEL],
        missing=counts[Verdict.MISSING],
        left_out=counts[Verdict.LEFT_OUT],
        confirmed=counts[Verdict.CONFIRMED],
        not_applied=len(lines) - sum(counts.values()),
    )
    folder = workspace.folder("corrections", record.id)
    write_json_atomic(folder / _LINES, [line.to_dict() for line in lines])
    write_json_atomic(folder / _RECORD, record.to_dict())
    details = record.to_dict() | {"what": record.summary, "record_digest": digest_json(record.to_dict())}
    workspace.ledger.append(actor, CORRECTED, record.id, {k: v for k, v in details.items() if k not in ("id", "by")})
    return record


def _counted(lines: Sequence[CorrectionLine], split: Split, problem: Problem) -> dict[Verdict, int]:
    """How many lines fit a readable row, by verdict."""
    found = find_rows(split.train.frame, lines, problem.data.id)
    done = {id(change.line) for change in found}
    left = [line for line in lines if id(line) not in done]
    counts = dict.fromkeys(Verdict, 0)
    for change in (*found, *find_rows(split.validation.frame, left, problem.data.id)):
        counts[change.line.verdict] += 1
    return counts


def _require_effect(counts: dict[Verdict, int], lines: Sequence[CorrectionLine], path: Path) -> None:
    if not sum(counts.values()):
        raise DataError(
            "no line of the sheet fits a row that may be looked at",
            where=str(path),
            got=f"{len(lines):,} decisions; their rows are sealed, not in the table, or have other values by now",
            cure="Review the sheet that `modelyard audit` has written last",
        )


def undo_correction(id: str, reason: str, workspace: Workspace, actor: Actor) -> Correction:  # noqa: A002 - the field's name
    """Take a correction back; what it changed is as it was from the next command on. The record stays.

    Raises
    ------
    ConfigError
        If there is no reason.
    StateError
        If no correction of that id is in force.
    """
    if not reason.strip():
        raise ConfigError("undoing needs a reason", where="--reason", cure='Give one: --reason "wrong sheet"')
    known = {item.id: item for item in corrections_in_force(workspace)}
    if id not in known:
        cure = did_you_mean(id, known) if known else "Run: modelyard correct, which lists them"
        raise StateError("no correction of this id is in force", where="corrections", got=repr(id), cure=cure)
    workspace.ledger.append(actor, _UNDONE, id, {"reason": reason.strip()})
    return known[id]


def corrections_in_force(workspace: Workspace) -> tuple[Correction, ...]:
    """The corrections that were recorded and not undone, in the order in which they apply.

    Raises
    ------
    IntegrityError
        If a stored correction is not what the ledger says was recorded.
    """
    rows = [*workspace.ledger.rows(action=CORRECTED), *workspace.ledger.rows(action=_UNDONE)]
    held: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.sequence):
        held.pop(row.subject, None)
        if row.action == CORRECTED:
            held[row.subject] = str(row.details["record_digest"])
    return tuple(_loaded(id_, digest, workspace) for id_, digest in held.items())


def _loaded(id_: str, digest: str, workspace: Workspace) -> Correction:
    content = _stored(id_, _RECORD, workspace)
    if digest_json(content) != digest:
        raise _damaged(id_, workspace)
    return Correction.from_dict(content)


def lines_of(correction: Correction, workspace: Workspace) -> tuple[CorrectionLine, ...]:
    """The decisions of a correction, verified.

    Raises
    ------
    IntegrityError
        If they are not those that were recorded.
    """
    content = _stored(correction.id, _LINES, workspace)
    if digest_json(content) != correction.lines_digest:
        raise _damaged(correction.id, workspace)
    return tuple(map(CorrectionLine.from_dict, content))


def decided_rows(workspace: Workspace) -> frozenset[tuple[str, str, str]]:
    """What people have confirmed, as (key, digest, column): the audit need not ask again."""
    return frozenset(
        (line.key, line.digest, line.column)
        for correction in corrections_in_force(workspace)
        for line in lines_of(correction, workspace)
        if line.verdict is Verdict.CONFIRMED
    )


def _stored(id_: str, name: str, workspace: Workspace) -> Any:
    path = workspace.folder("corrections", id_) / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(id_, workspace) from error


def _damaged(id_: str, workspace: Workspace) -> IntegrityError:
    return IntegrityError(
        "a stored correction is not what was recorded",
        where=str(workspace.folder("corrections", id_)),
        got="another digest",
        cure="Restore the folder from a backup",
    )
