"""A rollout, a change of its state, and where it stands now."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record
from modelyard.rollout import Phase, Plan, State

__all__ = ["Rollout", "RolloutChange", "RolloutView"]


@dataclasses.dataclass(frozen=True)
class Rollout(Record):
    """A version on its way to all requests.

    Parameters
    ----------
    id
        Its own, and the salt of sticky assignment.
    name, version, digest
        The version on its way.
    champion
        The version in production when it began.
    plan
        What it follows; a project file that is edited later changes nothing of it.
    actor, at
        Who began it, when.
    """

    id: str
    name: str
    version: int
    digest: str
    champion: int
    plan: Plan
    actor: str
    at: dt.datetime

    @property
    def subject(self) -> str:
        """Name and version, as the ledger writes them."""
        return f"{self.name}/{self.version}"


@dataclasses.dataclass(frozen=True)
class RolloutChange(Record):
    """One change of a rollout's state; the latest one says where it stands.

    Parameters
    ----------
    rollout
        Its id.
    phase, step, weight, waits, why
        As in :class:`modelyard.rollout.State`.
    numbers
        What the guards read when it changed: figure to value, the baseline's value and samples.
    actor, at
        Who, when; a server's own decisions bear the name of whoever runs it.
    """

    rollout: str
    phase: Phase
    step: int
    weight: int
    waits: bool
    why: str
    numbers: Mapping[str, Any]
    actor: str
    at: dt.datetime

    @property
    def state(self) -> State:
        """The state at its beginning."""
        return State(self.phase, self.step, self.weight, self.why, self.waits)


@dataclasses.dataclass(frozen=True)
class RolloutView(Record):
    """Where a rollout stands.

    Parameters
    ----------
    rollout
        Which one.
    position
        Number of its latest change; whoever decides names it, so that two cannot decide at once.
    state
        With time and counts as the driving process last noted them.
    numbers
        Of the latest change.
    """

    rollout: Rollout
    position: int
    state: State
    numbers: Mapping[str, Any]
