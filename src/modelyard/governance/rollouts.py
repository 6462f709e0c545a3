"""Rollouts of a model: begun and steered by people, driven by one server process at a time, followed by all."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from modelyard.core import Actor, Clock, GateRefusedError, StateError, canonical_json, system_clock
from modelyard.governance.conditions import held_steps, planned_steps, states_of
from modelyard.governance.gating import enter_decision, refusal
from modelyard.governance.history import read_deployments, read_version
from modelyard.governance.promotion import decide, require_owner, require_way, standing_of
from modelyard.governance.records import Deployment
from modelyard.governance.registry import Registry
from modelyard.governance.roles import require_permission
from modelyard.governance.rollout_log import (
    Rollout,
    RolloutChange,
    RolloutView,
    enter_change,
    enter_rollout,
    read_changes,
    read_latest,
    read_taken_back,
    under_way,
)
from modelyard.governance.stages import Stage
from modelyard.governance.tables import rollout_leases
from modelyard.problem.schema import Policy
from modelyard.rollout import Phase, Plan, Reading, State, abort, promote, resume, start
from modelyard.store import LedgerTransaction, Workspace, repeated

__all__ = ["LEASE_S", "Rollouts"]

LEASE_S = 3.0
"""Seconds after which a process that drove a rollout, and was not heard of, has lost it to another one."""


class Rollouts:
    """The rollouts of one model; every change of state and its ledger row are one transaction.

    Parameters
    ----------
    workspace
        The project's state.
    name
        The model's in the registry.
    clock
        Says when a lease ends.
    """

    def __init__(self, workspace: Workspace, name: str, *, clock: Clock = system_clock) -> None:
        self._workspace = workspace
        self._registry = Registry(workspace)
        self._ledger = workspace.ledger
        self._name = name
        self._clock = clock

    @repeated
    def begin(self, number: int, plan: Plan, actor: Actor, policy: Policy, owner: str) -> RolloutView:
        """Begin to roll out an approved version beside the one in production.

        Raises
        ------
        NotPermittedError, GateRefusedError, WaitingForApprovalError
            If the actor may not promote, the model has no owner, approvals are missing, or the plan meets no condition of theirs.
        StateError
            If nothing is in production, another rollout is under way, or the version's stage does not allow it.
        IntegrityError
            If the package's bytes have changed.
        """
        require_permission(actor, "promote")
        evidence = self._registry.evidence(self._registry.version(self._name, number))
        state = start(plan)
        with self._ledger.transaction() as transaction:
            version = read_version(transaction.connection, self._name, number)
            require_owner(version, owner)
            self._require_free(transaction)
            log = read_deployments(transaction.connection, self._name)
            if not log:
                raise StateError(
                    "nothing is in production, so there is nothing to roll out beside",
                    where=version.subject,
                    cure=f"Run: modelyard promote {number}",
                )
            require_way(version, Stage.CANARY if state.weight else Stage.SHADOW)
            decision = decide(transaction, version, policy, evidence, "deploy", actor, self._clock(), plan)
            if decision.passed:
                self._registry.package(version)
                champion = read_version(transaction.connection, self._name, log[-1].version)
                rollout = enter_rollout(transaction, version, champion, plan, actor)
                enter_change(transaction, rollout, state, actor)
        if not decision.passed:
            raise refusal(decision)
        return self._expected()

    def current(self) -> RolloutView | None:
        """The rollout that is under way; None if there is none."""
        with self._ledger.reading() as connection:
            return under_way(connection, self._name)

    def latest(self) -> RolloutView | None:
        """The newest rollout, over or not; None if there never was one."""
        with self._ledger.reading() as connection:
            return read_latest(connection, self._name)

    def broken_glass(self) -> int:
        """Promotions of the model past the gates that nobody has reviewed."""
        return sum(item.is_open for item in self._registry.broken_glass(self._name))

    def taken_back(self) -> frozenset[int]:
        """Versions whose latest rollout was aborted."""
        with self._ledger.reading() as connection:
            return read_taken_back(connection, self._name)

    def changes(self, rollout: str) -> tuple[RolloutChange, ...]:
        """Every change of a rollout, in order."""
        with self._ledger.reading() as connection:
            return read_changes(connection, rollout)

    def folder(self, rollout: Rollout) -> Path:
        """Where the package of the version lies; whoever loads it verifies it."""
        return self._workspace.folder("packages", self._registry.version(rollout.name, rollout.version).folder)

    @repeated
    def resume(self, actor: Actor, policy: Policy) -> RolloutView:
        """End a pause.

        Raises
        ------
        StateError
            If no rollout pauses.
        GateRefusedError
            If the rollout could not meet a condition of an approval without the time that is left of the pause.
        NotPermittedError
            If the actor may not promote.
        """
        require_permission(actor, "promote")
        with self._steering() as (transaction, view):
            if view.state.phase is not Phase.PAUSED:
                raise StateError(
                    "the rollout does not pause",
                    where=view.rollout.subject,
                    got=view.state.phase.value,
                    cure="Wait for its next pause, or say --promote or --abort",
                )
            state = resume(view.rollout.plan, view.state, f"resumed by {actor.name}")
            self._require_conditions(transaction.connection, view, state, policy)
            enter_change(transaction, view.rollout, state, actor)
        return self._expected()

    @repeated
    def abort(self, actor: Actor, reason: str) -> RolloutView:
        """Take every request from the version, and end its rollout.

        Raises
        ------
        StateError
            If none is under way.
        NotPermittedError
            If the actor may not roll back.
        """
        require_permission(actor, "rollback")
        with self._steering() as (transaction, view):
            enter_change(transaction, view.rollout, abort(view.state, reason), actor)
        return self._expected()

    def promote(self, actor: Actor, policy: Policy, owner: str) -> Deployment:
        """Skip the steps that are left: the version goes into production at once.

        Raises
        ------
        StateError
            If no rollout is under way.
        NotPermittedError, GateRefusedError, WaitingForApprovalError, IntegrityError
            As :meth:`begin` raises them; the rollout goes on as it was then.
        """
        require_permission(actor, "promote")
        self._require_gates(actor, policy)
        with self._steering() as (transaction, view):
            state = promote(view.rollout.plan, view.state, f"promoted in full by {actor.name}")
            enter_change(transaction, view.rollout, state, actor)
        return self._registry.complete_rollout(self._name, actor, policy, owner)

    def _require_conditions(self, connection: sa.Connection, view: RolloutView, state: State, policy: Policy) -> None:
        """Let a step be cut short if what held before it, and what the plan has after it, meets the approvals' conditions."""
        version = read_version(connection, self._name, view.rollout.version)
        given = standing_of(connection, version, policy, self._clock()).approvals
        if not any(item.conditions for item in given):
            return
        *before, now = held_steps(connection, version)
        rest = planned_steps(view.rollout.plan, state.step)
        missing = [one for one in states_of(given, (*before, (*now, *rest))) if not one.met]
        if missing:
            raise GateRefusedError(
                f"without the rest of this pause the rollout would not meet {missing[0].text}",
                where=view.rollout.subject,
                got=missing[0].got,
                cure="Wait for its end, or run: modelyard rollout --abort REASON",
            )

    def _require_gates(self, actor: Actor, policy: Policy) -> None:
        """Let a rollout whose version might be promoted now be steered to its end; a refusal is written down."""
        view = self.current()
        if view is None:
            return
        decision = self._registry.gates(self._name, view.rollout.version, policy)
        if not decision.passed:
            with self._ledger.transaction() as transaction:
                enter_decision(transaction, decision, actor)
            raise refusal(decision)

    # --- for the processes that serve ---------------------------------------------------------------------------

    @repeated
    def lead(self, view: RolloutView, holder: str, progress: State) -> State | None:
        """Take the rollout's lease, or keep it and note how far it has come.

        Returns
        -------
        State or None
            From where to go on: ``progress``, or what the process that had the lease before noted last. None if another
            process has it, or the rollout was changed meanwhile.

        Raises
        ------
        ModelyardError
            If the ledger cannot be written to.
        """
        now = self._clock().timestamp()
        with self._ledger.transaction() as transaction:
            latest = read_latest(transaction.connection, self._name)
            if latest is None or latest.position != view.position:
                return None
            held = _holding(transaction.connection, view)
            if held is not None and held[0] != holder:
                if held[1] >= now:
                    return None
                progress = latest.state
            values = {
                "holder": holder,
                "until": now + LEASE_S,
                "change": view.position,
                "progress": canonical_json(progress.to_dict()).decode("utf-8"),
            }
            lease = rollout_leases.c
            if held is None:
                transaction.connection.execute(rollout_leases.insert().values(rollout=view.rollout.id, **values))
                return progress
            mine = sa.update(rollout_leases).where(lease.rollout == view.rollout.id, lease.holder == held[0])
            return progress if transaction.connection.execute(mine.values(values)).rowcount else None

    def is_free(self, view: RolloutView, holder: str) -> bool:
        """True if no other process holds the lease now."""
        with self._ledger.reading() as connection:
            held = _holding(connection, view)
        return held is None or held[0] == holder or held[1] < self._clock().timestamp()

    @repeated
    def change(self, view: RolloutView, state: State, actor: Actor, readings: Sequence[Reading]) -> bool:
        """Enter a state that the driving process came to; False if somebody else changed the rollout meanwhile."""
        with self._ledger.transaction() as transaction:
            latest = under_way(transaction.connection, self._name)
            if latest is None or latest.position != view.position:
                return False
            enter_change(transaction, view.rollout, state, actor, readings)
            return True

    def complete(self, actor: Actor, policy: Policy, owner: str) -> Deployment:
        """Put the version that came through all steps into production; see :meth:`Registry.complete_rollout`."""
        return self._registry.complete_rollout(self._name, actor, policy, owner)

    @contextlib.contextmanager
    def _steering(self) -> Iterator[tuple[LedgerTransaction, RolloutView]]:
        """A write transaction, and the rollout under way as it is within it."""
        with self._ledger.transaction() as transaction:
            view = under_way(transaction.connection, self._name)
            if view is None:
                raise StateError(
                    "no rollout is under way",
                    where=self._name,
                    cure="Run: modelyard deploy VERSION, or modelyard promote",
                )
            yield transaction, view

    def _require_free(self, transaction: LedgerTransaction) -> None:
        """One rollout at a time."""
        view = under_way(transaction.connection, self._name)
        if view is not None:
            raise StateError(
                "a rollout is under way already",
                where=view.rollout.subject,
                got=f"{view.state.phase}, {view.state.weight} %",
                cure="Wait for its end, or run: modelyard rollout --abort REASON",
            )

    def _expected(self) -> RolloutView:
        """The newest rollout, which is known to be there."""
        view = self.latest()
        if view is None:
            raise StateError("there was no rollout yet", where=self._name, cure="Run: modelyard deploy VERSION")
        return view


def _holding(connection: sa.Connection, view: RolloutView) -> tuple[str, float] | None:
    """Who holds the lease, and until when."""
    lease = rollout_leases.c
    found = connection.execute(sa.select(lease.holder, lease.until).where(lease.rollout == view.rollout.id))
    row = found.one_or_none()
    return None if row is None else (row.holder, row.until)
