"""A project's schedule: do what is due, go on doing it, see where each job stands."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from modelyard.core import Actor, Clock, Progress, silent, system_clock
from modelyard.governance import require_permission
from modelyard.problem import Problem
from modelyard.schedule.lease import LEASE_S, Lease
from modelyard.schedule.records import JobState, Ran, Tick
from modelyard.store import Workspace

if TYPE_CHECKING:
    from modelyard.schedule.tick import Ticker

__all__ = ["Schedule"]


class Schedule:
    """The verbs of a project that are about time; ``project.schedule``.

    Parameters
    ----------
    problem, workspace, actor
        The project's; its section ``schedule`` has the times.
    progress
        Receives the progress of long work.
    clock
        Gives the moment.
    lease_s
        Seconds after which a process that is not heard of has lost the right to do what is due.
    """

    def __init__(
        self,
        problem: Problem,
        workspace: Workspace,
        actor: Actor,
        *,
        progress: Progress = silent,
        clock: Clock = system_clock,
        lease_s: float = LEASE_S,
    ) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor
        self._progress = progress
        self._clock = clock
        self._lease_s = lease_s

    def tick(self, tell: Callable[[Ran], None] = lambda _: None) -> Tick:
        """Do whatever is due, and nothing else; to be called as often as one likes.

        A job that fails is tried again later and does not stop the others. Operations run in the name of the schedule,
        a challenger has the caller as its author.

        Parameters
        ----------
        tell
            Hears of each run as it ends.

        Raises
        ------
        LockedError
            If another process does what is due for this model.
        NotPermittedError
            If the caller may not operate.
        """
        lease = self._lease()
        ticker = self._ticker(lease)
        with lease.held():
            return ticker.tick(tell)

    def watch(
        self,
        tell: Callable[[Ran], None],
        *,
        alive: Callable[[Tick], None] = lambda _: None,
        standby: bool = False,
    ) -> None:
        """Tick whenever something is due, until the process is told to end (SIGTERM, SIGINT).

        Parameters
        ----------
        tell
            Hears of each run as it ends.
        alive
            Hears of each tick, whether anything was due or not.
        standby
            Wait while another process does it, and take over when it is gone.

        Raises
        ------
        LockedError
            If another process does it, or took it over.
        NotPermittedError
            If the caller may not operate.
        """
        from modelyard.schedule.watch import ending_on_signals, watch

        stop, lease = threading.Event(), self._lease()
        ticker = self._ticker(lease, stop.is_set)
        with ending_on_signals(stop):
            watch(ticker, lease, stop, tell=tell, alive=alive, standby_s=self._lease_s / 12 if standby else None)

    def jobs(self) -> tuple[JobState, ...]:
        """Where each job stands; nothing is done."""
        return self._ticker(self._lease(), asks=False).states()

    def _lease(self) -> Lease:
        return Lease(self._workspace.ledger, self._problem.name, clock=self._clock, length_s=self._lease_s)

    def _ticker(self, lease: Lease, is_stopping: Callable[[], bool] = lambda: False, *, asks: bool = True) -> "Ticker":
        from modelyard.schedule.jobs import Yard, jobs_of
        from modelyard.schedule.tick import Ticker

        if asks:
            require_permission(self._actor, "operate")
        yard = Yard(self._problem, self._workspace, self._actor, self._progress, self._clock)
        return Ticker(yard, jobs_of(self._problem), lease, is_stopping=is_stopping)
