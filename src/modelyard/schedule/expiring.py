"""What expires, and what waits: approvals before their version is in production, reviews of the one that is."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence

from modelyard.core import Record
from modelyard.governance import Approval, ModelVersion, Registry, Rollouts, Stage
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["Reminder", "reminders", "waiting_version"]


@dataclasses.dataclass(frozen=True)
class Reminder(Record):
    """Something that a person should do in time.

    Parameters
    ----------
    signal, source
        What it is, and of which version.
    message, action
        In one sentence each.
    """

    signal: str
    source: str
    message: str
    action: str


def reminders(workspace: Workspace, problem: Problem, now: dt.datetime) -> tuple[Reminder, ...]:
    """All that is due within ``schedule.remind_days``, or over already."""
    registry = Registry(workspace)
    taken_back = Rollouts(workspace, problem.name).taken_back()
    versions = registry.versions(problem.name)
    return (
        *_waiting(workspace, problem),
        *(item for version in versions for item in _approvals(registry, version, problem, taken_back, now)),
        *(item for version in versions for item in _review(registry, version, problem, now)),
    )


def waiting_version(workspace: Workspace, problem: Problem) -> ModelVersion | None:
    """The newest version that is approved, newer than the one in production, and neither rolled out nor taken back."""
    rollouts = Rollouts(workspace, problem.name)
    if rollouts.current() is not None:
        return None
    registry = Registry(workspace)
    production = registry.production(problem.name)
    newest = production.version if production else 0
    taken_back = rollouts.taken_back()
    waiting = [
        version
        for version in registry.versions(problem.name)
        if version.stage.is_waiting and version.version > newest and version.version not in taken_back
    ]
    return waiting[-1] if waiting else None


def _waiting(workspace: Workspace, problem: Problem) -> Iterator[Reminder]:
    """An approved version for which the schedule does nothing."""
    version = waiting_version(workspace, problem)
    is_first = Registry(workspace).production(problem.name) is None
    if version is not None and (is_first or not problem.deploy.automatic):
        number = version.version
        command = f"modelyard {'promote' if is_first else 'deploy'} {number}"
        message = f"Version {number} is approved and waits for its {'promotion' if is_first else 'rollout'}."
        yield Reminder("schedule-waits", f"version-{number}", message, f"Run: {command}")


def _approvals(
    registry: Registry, version: ModelVersion, problem: Problem, taken_back: frozenset[int], now: dt.datetime
) -> Iterator[Reminder]:
    """Approvals that stop counting before their version is in production."""
    if not (version.stage is Stage.CANDIDATE or version.stage.is_waiting) or version.version in taken_back:
        return
    ends = [_end(item, problem) for item in registry.approvals(version.name, version.version)]
    found = _soon([end for end in ends if end is not None], problem, now)
    if found is not None:
        message = f"An approval of version {version.version} {_word(found, now)} on {found:%Y-%m-%d}."
        action = f"Put the version into production before, or ask for it again: modelyard approve {version.version}"
        yield Reminder("schedule-expires", f"version-{version.version}", message, action)


def _end(approval: Approval, problem: Problem) -> dt.datetime | None:
    days = problem.policy.rules.approval_days
    ends = [approval.expires_at] if approval.expires_at else []
    ends += [approval.at + dt.timedelta(days=days)] if days is not None else []
    return min(ends, default=None)


def _review(registry: Registry, version: ModelVersion, problem: Problem, now: dt.datetime) -> Iterator[Reminder]:
    """The last word of a person on the version in production, when it is too old."""
    days = problem.policy.rules.review_days
    if version.stage is not Stage.PRODUCTION or days is None:
        return
    said = [item.at for item in registry.approvals(version.name, version.version)]
    said += [item.at for item in registry.validations(version.name, version.version)]
    found = _soon([max(said) + dt.timedelta(days=days)] if said else [], problem, now)
    if found is not None:
        message = f"The last review of version {version.version}, which is in production, {_word(found, now)} on {found:%Y-%m-%d}."
        action = f'Have it looked at anew: modelyard validate {version.version} --reason "..."'
        yield Reminder("schedule-review", f"version-{version.version}", message, action)


def _soon(ends: Sequence[dt.datetime], problem: Problem, now: dt.datetime) -> dt.datetime | None:
    """The first end, if it is near or over."""
    days = problem.schedule.remind_days
    first = min(ends, default=None)
    return first if first is not None and days and first - now <= dt.timedelta(days=days) else None


def _word(end: dt.datetime, now: dt.datetime) -> str:
    return "expired" if end <= now else "expires"
