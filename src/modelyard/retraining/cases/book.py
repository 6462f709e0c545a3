"""The book of cases: one is under way at a time, and each ends with one decision and one row of the ledger."""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from modelyard.core import Actor, Clock, StateError, new_id, system_clock
from modelyard.core.files import atomic_file
from modelyard.governance import ModelVersion
from modelyard.retraining.cases.records import CaseNotes, Inputs, StepNote
from modelyard.retraining.cases.standing import DECIDED, GIVEN_UP, NAME, POINTER, case_under_way
from modelyard.retraining.records import Decision, GateResult
from modelyard.store import Workspace, load_record, save_record

__all__ = ["Case", "CaseBook", "StoppedError"]

_DECISION = "decision"
_ROWS = "rows.parquet"


class StoppedError(Exception):
    """A gate said no; what follows is not done."""


class Case:
    """One retraining under way. What is noted is on disk before the next step begins.

    Parameters
    ----------
    notes
        As they stand.
    folder
        Where they lie.
    """

    def __init__(self, notes: CaseNotes, folder: Path) -> None:
        self.notes = notes
        self._folder = folder

    @property
    def id(self) -> str:
        """Names the case."""
        return self.notes.id

    def done(self, name: str, *gates: GateResult, made: str = "", rows_new: int | None = None, data: str = "") -> None:
        """Note that a step is finished, in its place if it was noted before; a gate that says no ends the case.

        Raises
        ------
        StoppedError
            If a gate said no.
        """
        steps = {step.name: step for step in self.notes.steps} | {name: StepNote(name, made, gates)}
        known = self.notes if rows_new is None else dataclasses.replace(self.notes, rows_new=rows_new, data=data)
        notes = dataclasses.replace(known, steps=tuple(steps.values()))
        if notes != self.notes:
            save_record(self._folder, NAME, notes)
            self.notes = notes
        self.require_no_refusal()

    def require_no_refusal(self) -> None:
        """``StoppedError`` if a gate has said no."""
        if any(not gate.passed for gate in self.notes.gates):
            raise StoppedError

    def keep(self, rows: pl.DataFrame) -> None:
        """Keep the rows that were collected, until the case ends: the source may have others by the next call."""
        with atomic_file(self._folder / _ROWS) as path:
            rows.write_parquet(path)

    def kept(self) -> pl.DataFrame | None:
        """The rows that were collected; None if none were kept."""
        path = self._folder / _ROWS
        return pl.read_parquet(path) if path.exists() else None


class CaseBook:
    """Opens and closes cases; whoever uses it holds the project's lock.

    A case ends in three steps, of which each may be the last before a kill: ``decision.json`` is written, what follows
    from it is done (people are told), and the row of the ledger is appended. The row is the end: as long as it is missing
    the case is under way, and the next call does what is left, with the decision that was written.

    Parameters
    ----------
    workspace, actor
        The project, and who retrains.
    clock
        The moment at which cases begin.
    """

    def __init__(self, workspace: Workspace, actor: Actor, *, clock: Clock = system_clock) -> None:
        self._workspace = workspace
        self._actor = actor
        self._clock = clock

    def under_way(self) -> Case | None:
        """The case that an earlier call has begun and not ended."""
        notes = case_under_way(self._workspace)
        return None if notes is None else Case(notes, self._folder(notes.id))

    def begin(self, inputs: Inputs, champion: ModelVersion, because: str) -> Case:
        """A new case; the pointer comes before the notes, so that no notes lie about that nobody knows of."""
        notes = CaseNotes(new_id(), inputs, champion.version, because, self._clock())
        self._workspace.point(POINTER, notes.id)
        save_record(self._folder(notes.id), NAME, notes)
        return Case(notes, self._folder(notes.id))

    def decision(self, case: Case) -> Decision | None:
        """What was decided, if that was still written."""
        with contextlib.suppress(StateError):
            return load_record(Decision, self._folder(case.id), _DECISION, cure="Run: modelyard retrain")
        return None

    def close(self, case: Case, decision: Decision, follow_up: Callable[[Decision], None]) -> None:
        """End a case with its decision: written once, followed up, and told to the ledger once."""
        folder = self._folder(case.id)
        if self.decision(case) is None:
            save_record(folder, _DECISION, decision)
        follow_up(decision)
        details = {
            "outcome": decision.outcome.value,
            "reason": decision.reason,
            "rows_new": decision.rows_new,
            "champion": decision.champion_version,
            "challenger": decision.challenger_version,
            "data": case.notes.data,
            "collected": not case.notes.inputs.rows,
            "because": decision.because,
        }
        self._workspace.ledger.append(self._actor, DECIDED, case.id, details)
        (folder / _ROWS).unlink(missing_ok=True)

    def give_up(self, case: Case, why: str) -> None:
        """End a case without a decision, since something else is asked by now."""
        last = case.notes.steps[-1].name if case.notes.steps else "begun"
        self._workspace.ledger.append(self._actor, GIVEN_UP, case.id, {"why": why, "step": last})
        (self._folder(case.id) / _ROWS).unlink(missing_ok=True)

    def sweep(self, case: Case, name: str) -> None:
        """Remove what a killed call has left of a package; only this case builds under its own name."""
        for path in self._workspace.folder("packages").glob(f".{name}-*-{case.id[-6:]}.*"):
            shutil.rmtree(path, ignore_errors=True)

    def _folder(self, id_: str) -> Path:
        return self._workspace.folder("retraining", id_)
