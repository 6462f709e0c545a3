"""What a job is, and what it is given."""

import dataclasses
import datetime as dt
import zoneinfo
from collections.abc import Callable

from modelyard.core import Actor, Clock, Progress
from modelyard.core.actor import ActorSource
from modelyard.governance import ModelVersion, Registry, Role
from modelyard.monitoring.alerting.delivery import Pace
from modelyard.problem import Problem
from modelyard.schedule.records import Done
from modelyard.schedule.slots import Slots, slots_of
from modelyard.store import Workspace

__all__ = ["SCHEDULER", "Job", "Yard", "zone_of"]

SCHEDULER = Actor("modelyard scheduler", ActorSource.SCHEDULE, (Role.OPERATOR.value,))
"""In whose name operations run; only who may operate starts it. It trains nothing: a challenger has a person as its author."""


@dataclasses.dataclass(frozen=True)
class Yard:
    """What jobs work on.

    Parameters
    ----------
    problem, workspace
        The project's.
    person
        Who started the process; challengers are theirs, so that they do not approve them.
    progress
        Receives the progress of long work; raises to break it off.
    clock
        Gives the moment.
    pace
        Of sending messages that wait.
    """

    problem: Problem
    workspace: Workspace
    person: Actor
    progress: Progress
    clock: Clock
    pace: Pace = dataclasses.field(default_factory=Pace)

    @property
    def registry(self) -> Registry:
        """The project's versions."""
        return Registry(self.workspace)

    def production(self) -> ModelVersion | None:
        """The version in production; None if there is none yet, and nothing to be done for it."""
        return self.registry.production(self.problem.name)


@dataclasses.dataclass(frozen=True)
class Job:
    """Something that is due again and again.

    Parameters
    ----------
    name
        What it is called in rows and on the screen.
    when
        Its time, as the project file says it.
    run
        Does it for one moment; None if there was nothing to do. Doing it again after it was killed must do no harm.
    """

    name: str
    when: str
    run: Callable[[Yard, dt.datetime], Done | None]

    def slots(self, zone: str) -> Slots | None:
        """The moments at which it is due; None if it is off."""
        return slots_of(self.when, zone)


def zone_of(problem: Problem) -> zoneinfo.ZoneInfo:
    """The zone of all times of a project."""
    return zoneinfo.ZoneInfo(problem.schedule.zone or problem.monitoring.zone)
