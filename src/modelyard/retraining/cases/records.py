"""What is written down of a retraining while it is under way."""

import dataclasses
import datetime as dt

from modelyard.core import Record
from modelyard.retraining.records import GateResult

__all__ = ["CaseNotes", "Inputs", "StepNote"]


@dataclasses.dataclass(frozen=True)
class Inputs(Record):
    """What a retraining follows from: a call with equal inputs goes on with what an earlier one has begun.

    Parameters
    ----------
    champion
        Digest of the package in production.
    rows
        Digest of the table that was given; empty if the rows were collected, since they are kept with the case then.
    settings
        Digest of those settings of the project file that a retraining depends on, and of modelyard's version.
    cause
        What the last monitoring says against it; empty for nothing.
    update, despite
        The options of the call.
    """

    champion: str
    rows: str
    settings: str
    cause: str
    update: bool
    despite: str


@dataclasses.dataclass(frozen=True)
class StepNote(Record):
    """One finished step.

    Parameters
    ----------
    name
        ``collected``, ``divided``, ``audited``, ``trained``, ``compared``, ``evaluated`` or ``packaged``.
    made
        Id or folder of what it left; empty if it left verdicts only.
    gates
        What it asked.
    """

    name: str
    made: str
    gates: tuple[GateResult, ...]


@dataclasses.dataclass(frozen=True)
class CaseNotes(Record):
    """A case as it lies in ``case.json``, written anew after each step.

    Parameters
    ----------
    id
        Names its folder.
    inputs
        See :class:`Inputs`.
    champion_version
        In production when it began.
    because
        What asked for it, if no person did.
    began_at
        When.
    rows_new
        Labelled rows that were not known before.
    data
        Digest of these rows.
    steps
        What is finished, in order.
    """

    id: str
    inputs: Inputs
    champion_version: int
    because: str
    began_at: dt.datetime
    rows_new: int = 0
    data: str = ""
    steps: tuple[StepNote, ...] = ()

    @property
    def gates(self) -> tuple[GateResult, ...]:
        """All verdicts so far."""
        return tuple(gate for step in self.steps for gate in step.gates)

    def made(self, name: str) -> str | None:
        """What a step left; None if it is not finished."""
        return next((step.made for step in self.steps if step.name == name), None)

    @property
    def sentence(self) -> str:
        """How far it is, for people."""
        last = self.steps[-1].name if self.steps else "begun"
        return f"begun {self.began_at:%Y-%m-%d %H:%M}, {last}; the same command goes on with it"
