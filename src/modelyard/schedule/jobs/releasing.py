"""After the approval: the rollout of an approved version begins, and is brought to its end if the servers cannot."""

import datetime as dt

from modelyard.governance import Rollouts, StagingArea, Steering
from modelyard.rollout import Phase
from modelyard.schedule.expiring import waiting_version
from modelyard.schedule.jobs.job import SCHEDULER, Yard
from modelyard.schedule.records import Done
from modelyard.shipping.staging import try_in_staging

__all__ = ["roll_out"]

_SERVERS_TIME = dt.timedelta(minutes=1)
"""For the servers to complete a rollout themselves, as they do within a second."""


def roll_out(yard: Yard, _slot: dt.datetime) -> Done | None:
    """Begin what ``deploy.automatic`` asks for, and complete a rollout that came through all steps. Servers do the steps.

    Without the key, or with nothing in production to roll out beside, an approved version waits for a person, who is reminded. Where the policy asks for
    staging, it is tried there before.
    """
    problem, rollouts = yard.problem, Rollouts(yard.workspace, yard.problem.name, clock=yard.clock)
    view = rollouts.current()
    if view is not None and view.state.phase is Phase.PROMOTING:
        if yard.clock() - rollouts.changes(view.rollout.id)[-1].at < _SERVERS_TIME:
            return None
        rollouts.complete(SCHEDULER, problem.policy, problem.owner)
        return Done(f"version {view.rollout.version} came through all steps and is in production")
    version = waiting_version(yard.workspace, problem)
    if not problem.deploy.automatic or version is None or yard.production() is None:
        return None
    area = StagingArea(yard.workspace, problem.name, clock=yard.clock)
    trial = area.latest(version.version)
    if problem.policy.rules.staging and (trial is None or not trial.passed):
        try_in_staging(area, version.version, SCHEDULER, problem.policy)
    begun = Steering(problem, yard.workspace, SCHEDULER).begin(version.version)
    shares = " in shadow" if begun.state.phase is Phase.SHADOW else f" with {begun.state.weight} % of the requests"
    return Done(f"the rollout of version {version.version} began{shares}, beside version {begun.rollout.champion}")
