"""What a version has gone through: the steps of its rollouts that came to their end by themselves."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from modelyard.governance.records import ModelVersion
from modelyard.governance.tables import rollout_changes, rollouts
from modelyard.rollout import PAUSE_OVER, Phase, Plan, StepKind

__all__ = ["Held", "held_steps", "planned_steps"]


@dataclasses.dataclass(frozen=True)
class Held:
    """A step of a rollout that held.

    Parameters
    ----------
    is_shadow
        Whether the version was asked without being heard.
    weight
        Percent of the requests that it answered.
    seconds
        How long, at least: what the plan asks of the step, in time that a serving process counted.
    """

    is_shadow: bool
    weight: int
    seconds: float


def held_steps(connection: sa.Connection, version: ModelVersion) -> tuple[tuple[Held, ...], ...]:
    """By rollout of these very bytes, oldest first, the steps that held; a rollout that was aborted has none.

    A pause counts if its time ran out, anything else if a look at the figures ended it. What a person cut short or skipped
    does not count.
    """
    mine = (rollouts.c.name == version.name, rollouts.c.version == version.version, rollouts.c.digest == version.digest)
    found = connection.execute(sa.select(rollouts.c.id, rollouts.c.plan).where(*mine).order_by(rollouts.c.at)).all()
    return tuple(tuple(_held(connection, row.id, Plan.from_dict(json.loads(row.plan)))) for row in found)


def planned_steps(plan: Plan, first: int = 0) -> tuple[Held, ...]:
    """The steps that will have held if a plan is gone through, from the step ``first`` on, without anybody's help."""
    places = (place for place, step in enumerate(plan.steps) if place >= first and step.kind is not StepKind.WEIGHT)
    return tuple(_step(plan, place) for place in places if not _waits(plan, place))


def _held(connection: sa.Connection, rollout: str, plan: Plan) -> Iterator[Held]:
    query = sa.select(rollout_changes).where(rollout_changes.c.rollout == rollout).order_by(rollout_changes.c.id)
    changes = connection.execute(query).mappings().all()
    if changes and changes[-1]["phase"] == Phase.ABORTED.value:
        return
    for before, after in pairwise(_as_mappings(changes)):
        place = before["step"]
        if place < len(plan.steps) and after["step"] > place and _ended_by_itself(plan, place, after):
            yield _step(plan, place)


def _as_mappings(rows: Sequence[sa.RowMapping]) -> list[Mapping[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows]


def _ended_by_itself(plan: Plan, place: int, after: Mapping[str, Any]) -> bool:
    """True unless a person ended the step: a look leaves its figures, a pause that is over says so."""
    if plan.steps[place].kind is StepKind.PAUSE:
        return bool(after["why"] == PAUSE_OVER)
    return bool(json.loads(after["numbers"]))


def _waits(plan: Plan, place: int) -> bool:
    """True for a pause that a person ends."""
    step = plan.steps[place]
    return step.kind is StepKind.PAUSE and step.duration_s is None


def _step(plan: Plan, place: int) -> Held:
    """What a step comes to: the weight set before it, and the least time that it takes."""
    step, rule = plan.steps[place], plan.analysis(place)
    set_before = [one.weight for one in plan.steps[:place] if one.kind is StepKind.WEIGHT]
    weight = step.weight if step.kind is StepKind.COMPARE else (set_before or [0])[-1]
    looks = {StepKind.ANALYSIS: rule.count * rule.interval_s, StepKind.COMPARE: rule.interval_s}
    return Held(step.kind is StepKind.SHADOW, weight, looks.get(step.kind, step.duration_s or 0.0))
