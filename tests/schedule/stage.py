"""A clock that tests turn, a project without a model, and jobs that a test makes up."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from tests.clock import Hand

from modelyard.core import Actor, silent
from modelyard.core.actor import ActorSource
from modelyard.problem import Problem
from modelyard.schedule.jobs import Job, Yard
from modelyard.schedule.lease import Lease
from modelyard.schedule.records import Done, Tick
from modelyard.schedule.tick import Ticker
from modelyard.store import Ledger, Workspace


def problem_with(**sections: Any) -> Problem:
    """A problem with these sections."""
    return Problem.model_validate(
        {"name": "churn", "owner": "keller", "data": {"source": "rows.parquet", "target": "y"}, **sections}
    )


@dataclasses.dataclass
class Stage:
    """One project whose clock and jobs a test sets."""

    workspace: Workspace
    clock: Hand
    problem: Problem

    @property
    def ledger(self) -> Ledger:
        """The project's."""
        return self.workspace.ledger

    def lease(self, length_s: float = 60.0) -> Lease:
        """The lease of one more process."""
        return Lease(self.ledger, "churn", clock=self.clock, length_s=length_s)

    def ticker(self, jobs: Sequence[Job], lease: Lease, stopping: Callable[[], bool] = lambda: False) -> Ticker:
        """What does these jobs."""
        ada = Actor("ada", ActorSource.OS_USER, ("admin", "operator"))
        yard = Yard(self.problem, self.workspace, ada, silent, self.clock)
        return Ticker(yard, jobs, lease, is_stopping=stopping)

    def tick(self, *jobs: Job) -> Tick:
        """One tick of a process of its own."""
        lease = self.lease()
        with lease.held():
            return self.ticker(jobs, lease).tick()

    def told(self, action: str) -> list[tuple[str, Any]]:
        """Subject and details of the ledger's rows of an action."""
        return [(row.subject, row.details) for row in self.ledger.rows(action=action)]


@dataclasses.dataclass
class Work:
    """A job that notes for which moments it was run."""

    when: str
    name: str = "work"
    said: str | None = "did it"
    fails: Exception | None = None
    slots: list[dt.datetime] = dataclasses.field(default_factory=list)

    @property
    def job(self) -> Job:
        """It."""
        return Job(self.name, self.when, self._run)

    def _run(self, _yard: Yard, slot: dt.datetime) -> Done | None:
        self.slots.append(slot)
        if self.fails is not None:
            raise self.fails
        return None if self.said is None else Done(self.said)
