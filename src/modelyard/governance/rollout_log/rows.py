"""Rows of rollouts: written within the ledger's transaction, read on one connection."""

import json
import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from modelyard.core import Actor, canonical_json, digest_json, new_id
from modelyard.governance.history import read_version
from modelyard.governance.promotion import set_stage
from modelyard.governance.records import ModelVersion
from modelyard.governance.rollout_log.records import Rollout, RolloutChange, RolloutView
from modelyard.governance.stages import Stage, require_transition
from modelyard.governance.tables import rollout_changes, rollout_leases, rollouts
from modelyard.rollout import Phase, Plan, Reading, State, abort, promoted
from modelyard.store import LedgerTransaction

__all__ = [
    "end_rollout",
    "enter_change",
    "enter_rollout",
    "read_changes",
    "read_latest",
    "read_taken_back",
    "under_way",
]


def enter_rollout(
    transaction: LedgerTransaction, version: ModelVersion, champion: ModelVersion, plan: Plan, actor: Actor
) -> Rollout:
    """A new rollout, without a state yet."""
    id_ = new_id()
    details = {
        "rollout": id_,
        "digest": version.digest,
        "champion": champion.version,
        "strategy": plan.strategy.value,
        "plan": digest_json(plan.to_dict()),
    }
    row = transaction.append(actor, "rollout.started", version.subject, details)
    rollout = Rollout(id_, version.name, version.version, version.digest, champion.version, plan, actor.name, row.at)
    values = {**rollout.to_dict(), "plan": _text(plan.to_dict())}
    transaction.connection.execute(rollouts.insert().values(values))
    return rollout


def enter_change(
    transaction: LedgerTransaction, rollout: Rollout, state: State, actor: Actor, readings: Sequence[Reading] = ()
) -> RolloutChange:
    """The next state, with its ledger row and the stage of the version; what was counted in the step is noted beside it."""
    version = read_version(transaction.connection, rollout.name, rollout.version)
    stage = _stage(state)
    if version.stage is not stage:
        before = Stage.APPROVED if version.stage is Stage.CANDIDATE else version.stage
        require_transition(version.subject, before, stage)
        set_stage(transaction, version, stage)
    numbers = {item.name: [_finite(item.value), _finite(item.other), item.samples] for item in readings}
    details = {
        "rollout": rollout.id,
        "step": state.step,
        "weight": state.weight,
        "waits": state.waits,
        "why": state.why,
        "numbers": numbers,
        "stage": stage.value,
    }
    row = transaction.append(actor, f"rollout.{state.phase}", version.subject, details)
    place = (state.phase, state.step, state.weight, state.waits, state.why)
    change = RolloutChange(rollout.id, *place, numbers, actor.name, row.at)
    values = {**change.to_dict(), "numbers": _text(numbers)}
    entered = transaction.connection.execute(rollout_changes.insert().values(values)).inserted_primary_key
    position = entered[0] if entered else None
    lease = sa.update(rollout_leases).where(rollout_leases.c.rollout == rollout.id)
    transaction.connection.execute(lease.values(change=position, progress=_text(state.to_dict())))
    return change


def end_rollout(transaction: LedgerTransaction, name: str, actor: Actor, why: str, deployed: int | None = None) -> bool:
    """End the rollout that is under way, if there is one: stable if its version was ``deployed``, else aborted."""
    view = under_way(transaction.connection, name)
    if view is None:
        return False
    is_deployed = deployed == view.rollout.version
    state = promoted(view.state, why) if is_deployed else abort(view.state, why)
    enter_change(transaction, view.rollout, state, actor)
    return True


def under_way(connection: sa.Connection, name: str) -> RolloutView | None:
    """The rollout of a model that is not over; None if there is none."""
    view = read_latest(connection, name)
    return None if view is None or view.state.phase.is_over else view


def read_latest(connection: sa.Connection, name: str) -> RolloutView | None:
    """The model's newest rollout, over or not; None if there never was one."""
    query = sa.select(rollouts).where(rollouts.c.name == name).order_by(rollouts.c.at.desc(), rollouts.c.id.desc())
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    if row is None:
        return None
    rollout = Rollout.from_dict({**row, "plan": json.loads(row["plan"])})
    latest = sa.select(rollout_changes).where(rollout_changes.c.rollout == rollout.id)
    found = connection.execute(latest.order_by(rollout_changes.c.id.desc()).limit(1)).mappings().one()
    change = _change(found)
    state = _noted(connection, rollout.id, found["id"]) or change.state
    return RolloutView(rollout, found["id"], state, change.numbers)


def read_taken_back(connection: sa.Connection, name: str) -> frozenset[int]:
    """Versions of a model whose latest rollout was aborted."""
    newest = sa.select(sa.func.max(rollout_changes.c.id)).group_by(rollout_changes.c.rollout)
    query = sa.select(rollouts.c.version, rollout_changes.c.phase).join(
        rollout_changes, rollout_changes.c.rollout == rollouts.c.id
    )
    query = query.where(rollouts.c.name == name, rollout_changes.c.id.in_(newest)).order_by(rollout_changes.c.id)
    latest = {row.version: row.phase for row in connection.execute(query)}
    return frozenset(version for version, phase in latest.items() if phase == Phase.ABORTED.value)


def read_changes(connection: sa.Connection, rollout: str) -> tuple[RolloutChange, ...]:
    """Every change of a rollout, in order."""
    query = sa.select(rollout_changes).where(rollout_changes.c.rollout == rollout).order_by(rollout_changes.c.id)
    return tuple(_change(row) for row in connection.execute(query).mappings().all())


def _noted(connection: sa.Connection, rollout: str, position: int) -> State | None:
    """How far the driving process had come since the latest change, as it last noted."""
    query = sa.select(rollout_leases).where(rollout_leases.c.rollout == rollout, rollout_leases.c.change == position)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else State.from_dict(json.loads(row["progress"]))


def _change(row: sa.RowMapping) -> RolloutChange:
    values = {str(key): value for key, value in row.items() if key != "id"}
    return RolloutChange.from_dict({**values, "numbers": json.loads(values["numbers"])})


def _stage(state: State) -> Stage:
    """Where a version in this state stands."""
    if state.phase is Phase.STABLE:
        return Stage.PRODUCTION
    if state.phase is Phase.ABORTED:
        return Stage.APPROVED
    return Stage.CANARY if state.weight else Stage.SHADOW


def _finite(value: float | None) -> float | None:
    """JSON has no NaN; the reason says what was wrong."""
    return value if value is not None and math.isfinite(value) else None


def _text(value: Any) -> str:
    return canonical_json(value).decode("utf-8")
