"""The registry: versions, approvals and deployments; every change and its ledger row are one transaction."""

import contextlib
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from modelyard.core import Actor, Clock, IntegrityError, NotPermittedError, StateError, system_clock
from modelyard.governance.conditions import parse_condition
from modelyard.governance.gating import Evidence, GateDecision, gather, judge, refusal
from modelyard.governance.history import (
    earlier_version,
    read_approvals,
    read_deployments,
    read_version,
    read_versions,
)
from modelyard.governance.identity import is_same_person
from modelyard.governance.promotion import decide, require_owner, require_way, set_stage, standing_of
from modelyard.governance.records import Approval, Deployment, ModelVersion
from modelyard.governance.roles import require_permission
from modelyard.governance.rollout_log import end_rollout, under_way
from modelyard.governance.stages import Stage, require_transition
from modelyard.governance.standing import (
    REVIEWED,
    VALIDATED,
    BrokenGlass,
    Validation,
    read_broken_glass,
    read_validations,
)
from modelyard.governance.standing.entries import enter_approval, enter_broken_glass
from modelyard.governance.standing.independence import require_no_admin, require_other_person
from modelyard.governance.tables import deployments, versions
from modelyard.packaging import Manifest, Package, load_package
from modelyard.problem.schema import Policy
from modelyard.rollout import Phase
from modelyard.store import LedgerTransaction, Workspace, repeated

__all__ = ["Registry"]

_ONCE_APPROVED = (Stage.APPROVED, Stage.STAGING, Stage.SHADOW, Stage.CANARY, Stage.RETIRED)
"""Stages in which a version may need further approvals: the policy has become stricter, or others have expired."""


class Registry:
    """All versions of a project's models.

    Nothing is ever updated: the stage of a version is its latest stage row, what is in production is the latest
    deployment row. Before a version is registered, approved, promoted or rolled back to, its package is read from the
    disk and verified against the digest that was registered; any changed byte voids it. What a verb decides on is read
    in the transaction that writes, so that of two actors at once the second sees what the first did.

    Parameters
    ----------
    workspace
        The project's state; packages lie in its folder ``packages``.
    clock
        Says what has expired.
    """

    def __init__(self, workspace: Workspace, *, clock: Clock = system_clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._ledger = workspace.ledger
        self._ledger.create_tables()

    def next_version(self, name: str) -> int:
        """The number that the next version of a model gets."""
        with self._ledger.reading() as connection:
            return _next_number(connection, name)

    @repeated
    def register(self, package: Package, actor: Actor) -> ModelVersion:
        """Enter a package as the next version; registering the same package again returns its version.

        Raises
        ------
        NotPermittedError
            If the actor may not register.
        IntegrityError
            If the package is not what was built.
        StateError
            If the package lies elsewhere than among the project's packages, or was built for a number that is taken:
            build it again.
        """
        require_permission(actor, "register")
        manifest = load_package(package.folder).manifest
        home = self._workspace.folder("packages")
        if package.folder.resolve().parent != home.resolve():
            raise StateError(
                "the package does not lie among the project's packages",
                where=str(package.folder),
                cure=f"Copy its folder into {home}",
            )
        with self._ledger.transaction() as transaction:
            known = [
                item for item in read_versions(transaction.connection, manifest.name) if item.digest == manifest.digest
            ]
            return known[0] if known else _enter(transaction, manifest, package.folder.name, actor)

    def gates(self, name: str, number: int, policy: Policy, step: str = "promote") -> GateDecision:
        """What the gates would say now; nothing is written.

        Raises
        ------
        StateError, IntegrityError
            If there is no such version, or its package's bytes have changed.
        """
        version = self.version(name, number)
        evidence = self.evidence(version)
        with self._ledger.reading() as connection:
            standing = standing_of(connection, version, policy, self._clock())
        return judge(version, policy, evidence, standing, step, self._clock())

    @repeated
    def validate(
        self, name: str, number: int, actor: Actor, reason: str, policy: Policy, *, holds: bool = True
    ) -> Validation:
        """Say, as somebody who built nothing of it, whether a version may be used as it is meant; the last word counts.

        Raises
        ------
        NotPermittedError
            If the actor may not validate, made the version, or in tier high has approved it.
        StateError, IntegrityError
            If there is no reason or no such version; the package's bytes have changed.
        """
        require_permission(actor, "validate")
        with self._changing(name, number) as (transaction, version):
            _require_reason(reason, version.subject)
            given = [item.approver for item in read_approvals(transaction.connection, name, number)]
            require_other_person(version, actor, policy, "validate", given)
            self._verified(version)
            details = {"digest": version.digest, "reason": reason, "holds": holds, "policy": policy.digest}
            transaction.append(actor, VALIDATED, version.subject, details)
            return read_validations(transaction.connection, version)[-1]

    @repeated
    def approve(
        self, name: str, number: int, actor: Actor, reason: str, policy: Policy, conditions: Sequence[str] = ()
    ) -> ModelVersion:
        """Approve a version; with the last approval that the policy asks for it becomes ``approved``.

        An approval is bound to the package's bytes and to what the gates ask, and expires as the policy says. Once it does not
        count any more, the same person may give it again.

        Parameters
        ----------
        conditions
            Under which: ``shadow 7d``, ``canary 10%``, ``canary 10% 1d``. A promotion that has not met them is refused.

        Raises
        ------
        NotPermittedError
            If the actor may not approve, or by the two-person rule is the version's author or requester.
        GateRefusedError
            If the version does not show what the policy's tier asks for.
        ConfigError
            If a condition is none that can be measured.
        StateError
            If the version is no candidate, or the actor approved it already, or there is no reason; if nothing is in
            production beside which a condition could be met.
        IntegrityError
            If the package's bytes have changed.
        """
        require_permission(actor, "approve")
        asked = [parse_condition(text).text for text in conditions]
        evidence = self.evidence(self.version(name, number))
        with self._changing(name, number) as (transaction, version):
            _require_reason(reason, version.subject)
            if asked and _in_production(transaction.connection, name) is None:
                raise StateError(
                    "nothing is in production beside which a rollout could meet the condition",
                    where=version.subject,
                    got=", ".join(asked),
                    cure="Approve it without, or promote another version first",
                )
            validators = [item.validator for item in read_validations(transaction.connection, version)]
            require_other_person(version, actor, policy, "approve", validators)
            counted = standing_of(transaction.connection, version, policy, self._clock()).approvals
            if not (version.stage in _ONCE_APPROVED and len(counted) < policy.rules.approvals):
                require_transition(version.subject, version.stage, Stage.APPROVED)
            if any(is_same_person(item.approver, actor.name) for item in counted):
                raise StateError(
                    "this actor has approved it already",
                    where=version.subject,
                    got=actor.name,
                    cure="Ask somebody else for the next approval",
                )
            decision = decide(transaction, version, policy, evidence, "approve", actor, self._clock())
            if decision.passed:
                self._verified(version)
                is_enough = version.stage is Stage.CANDIDATE and len(counted) + 1 >= policy.rules.approvals
                stage = Stage.APPROVED if is_enough else version.stage
                enter_approval(transaction, version, actor, (reason, *asked), policy, stage)
                if is_enough:
                    set_stage(transaction, version, stage)
                return read_version(transaction.connection, name, number)
        raise refusal(decision)

    @repeated
    def reject(self, name: str, number: int, actor: Actor, reason: str) -> ModelVersion:
        """Reject a version for good.

        Raises
        ------
        NotPermittedError
            If the actor may not approve.
        StateError
            If it is in production, retired or rejected already, or there is no reason.
        """
        require_permission(actor, "approve")
        with self._changing(name, number) as (transaction, version):
            _require_reason(reason, version.subject)
            require_transition(version.subject, version.stage, Stage.REJECTED)
            view = under_way(transaction.connection, name)
            if view is not None and view.rollout.version == number:
                end_rollout(transaction, name, actor, f"the version was rejected: {reason}")
            set_stage(transaction, version, Stage.REJECTED)
            transaction.append(actor, "version.rejected", version.subject, {"reason": reason})
            return read_version(transaction.connection, name, number)

    @repeated
    def promote(
        self, name: str, number: int, actor: Actor, policy: Policy, owner: str, break_glass: str | None = None
    ) -> Deployment:
        """Put an approved version, or a retired one, into production; the one before retires.

        For the version that is in production nothing changes, and the deployment that put it there is returned.

        Parameters
        ----------
        break_glass
            Why an operator alone goes past the gates that say no. Somebody else must review it; until then it is an error
            among the project's findings.

        Raises
        ------
        GateRefusedError
            If the model has no owner, or a gate says no.
        WaitingForApprovalError
            If only approvals are missing, by the policy as it is now.
        NotPermittedError, StateError, IntegrityError
            If the actor may not promote; the stage does not allow it, or no gate is in the way of who would break the glass;
            the package's bytes have changed.
        """
        require_permission(actor, "promote" if break_glass is None else "break_glass")
        version = self.version(name, number)
        require_owner(version, owner)
        if break_glass is not None:
            _require_reason(break_glass, version.subject)
        if version.stage is Stage.PRODUCTION:
            return self.deployments(name)[-1]
        require_way(version, Stage.PRODUCTION)
        evidence = self.evidence(version)
        with self._changing(name, number) as (transaction, version):
            if version.stage is Stage.PRODUCTION:
                return read_deployments(transaction.connection, name)[-1]
            require_way(version, Stage.PRODUCTION)
            decision = decide(transaction, version, policy, evidence, "promote", actor, self._clock())
            if break_glass is not None:
                enter_broken_glass(transaction, decision, actor, break_glass, policy)
                return self._deploy(transaction, version, actor, "promote", f"break-glass: {break_glass}")
            if decision.passed:
                given = standing_of(transaction.connection, version, policy, self._clock()).approvals
                names = ", ".join(item.approver for item in given)
                return self._deploy(transaction, version, actor, "promote", f"approved by {names}" if names else "")
        raise refusal(decision)

    def review_broken_glass(self, name: str, number: int, actor: Actor, reason: str, policy: Policy) -> BrokenGlass:
        """Review a promotion that went past the gates; whoever broke the glass cannot, nor who made the version.

        Raises
        ------
        NotPermittedError
            If the actor may not review, did it, or by the two-person rule made the version.
        StateError
            If there is nothing to review, or no reason.
        """
        require_permission(actor, "review_break_glass")
        with self._changing(name, number) as (transaction, version):
            _require_reason(reason, version.subject)
            broken = [item for item in read_broken_glass(transaction.connection, name) if item.is_open]
            mine = [item for item in broken if item.subject == version.subject]
            if not mine:
                raise StateError("there is no glass to review", where=version.subject, cure="Run: modelyard status")
            if any(is_same_person(item.by, actor.name) for item in mine):
                raise NotPermittedError(
                    "nobody reviews the glass that they broke",
                    where=version.subject,
                    got=actor.name,
                    cure="Ask somebody else who is approver or validator",
                )
            require_no_admin(version, actor, policy)
            transaction.append(actor, REVIEWED, version.subject, {"reason": reason, "digest": version.digest})
            found = read_broken_glass(transaction.connection, name)
            return [item for item in found if item.subject == version.subject][-1]

    @repeated
    def complete_rollout(self, name: str, actor: Actor, policy: Policy, owner: str) -> Deployment:
        """Put a version that came through all steps of its rollout into production.

        Whoever began the rollout had the permission to promote; the gates are asked anew, by the policy as it is now.

        Raises
        ------
        StateError
            If no rollout has come to its end.
        WaitingForApprovalError, GateRefusedError, IntegrityError
            As :meth:`promote` raises them.
        """
        with self._ledger.reading() as connection:
            evidence = self.evidence(_rolled_out(connection, name)[0])
        with self._ledger.transaction() as transaction:
            version, why = _rolled_out(transaction.connection, name)
            require_owner(version, owner)
            require_way(version, Stage.PRODUCTION)
            decision = decide(transaction, version, policy, evidence, "promote", actor, self._clock())
            if decision.passed:
                return self._deploy(transaction, version, actor, "promote", f"rolled out: {why}")
        raise refusal(decision)

    @repeated
    def rollback(self, name: str, actor: Actor, reason: str) -> Deployment:
        """Put back what was in production before, as the deployment log says, after verifying that it still loads.

        While a version is rolled out, the way back is to take every request from it: the rollout is aborted, and what is in
        production stays there. Otherwise a second rollback goes back one version further; :meth:`promote` brings a retired version forward again.

        Raises
        ------
        StateError
            If nothing was in production before, or there is no reason.
        NotPermittedError, IntegrityError
            If the actor may not roll back; the earlier package's bytes have changed.
        """
        require_permission(actor, "rollback")
        _require_reason(reason, name)
        with self._ledger.transaction() as transaction:
            if end_rollout(transaction, name, actor, f"rolled back: {reason}"):
                return read_deployments(transaction.connection, name)[-1]
            earlier = earlier_version(read_deployments(transaction.connection, name))
            if earlier is None:
                raise StateError(
                    "there is no earlier version to go back to", where=name, cure="Promote another version instead"
                )
            version = read_version(transaction.connection, name, earlier)
            require_transition(version.subject, version.stage, Stage.PRODUCTION)
            return self._deploy(transaction, version, actor, "rollback", reason)

    def versions(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """All versions, or those of one model, oldest first."""
        with self._ledger.reading() as connection:
            return read_versions(connection, name)

    def version(self, name: str, number: int) -> ModelVersion:
        """One version.

        Raises
        ------
        StateError
            If there is none of that number.
        """
        with self._ledger.reading() as connection:
            return read_version(connection, name, number)

    def production(self, name: str) -> ModelVersion | None:
        """The version in production; None if there is none."""
        with self._ledger.reading() as connection:
            return _in_production(connection, name)

    def approvals(self, name: str, number: int) -> tuple[Approval, ...]:
        """Who approved a version, in order."""
        with self._ledger.reading() as connection:
            return read_approvals(connection, name, number)

    def validations(self, name: str, number: int) -> tuple[Validation, ...]:
        """What validators said of a version, in order."""
        with self._ledger.reading() as connection:
            return read_validations(connection, read_version(connection, name, number))

    def broken_glass(self, name: str) -> tuple[BrokenGlass, ...]:
        """Promotions of a model that went past the gates, reviewed or not, in order."""
        with self._ledger.reading() as connection:
            return read_broken_glass(connection, name)

    def deployments(self, name: str) -> tuple[Deployment, ...]:
        """The deployment log of a model, oldest first."""
        with self._ledger.reading() as connection:
            return read_deployments(connection, name)

    def package(self, version: ModelVersion) -> Package:
        """The verified package of a version.

        Raises
        ------
        IntegrityError
            If its bytes are not those that were registered.
        """
        return self._verified(version)

    @contextlib.contextmanager
    def _changing(self, name: str, number: int) -> Iterator[tuple[LedgerTransaction, ModelVersion]]:
        """A write transaction, and a version as it is within it."""
        with self._ledger.transaction() as transaction:
            yield transaction, read_version(transaction.connection, name, number)

    def evidence(self, version: ModelVersion) -> Evidence:
        """What the verified bytes of a version show to the gates."""
        return gather(self._verified(version), version.digest)

    def _verified(self, version: ModelVersion) -> Package:
        package = load_package(self._workspace.folder("packages", version.folder))
        if package.manifest.digest != version.digest:
            raise IntegrityError(
                "the package is not the one that was registered",
                where=version.subject,
                got=f"digest {package.manifest.digest[:12]}, registered was {version.digest[:12]}",
                cure="Restore the package from a backup; its approvals do not hold for other bytes",
            )
        return package

    def _deploy(
        self, transaction: LedgerTransaction, version: ModelVersion, actor: Actor, kind: str, reason: str
    ) -> Deployment:
        """The pointer swap: one deployment row, stages and ledger row in one transaction."""
        self._verified(version)
        before = _in_production(transaction.connection, version.name)
        details = {"digest": version.digest, "reason": reason, "before": before.version if before else None}
        action = "version.promoted" if kind == "promote" else "version.rolled_back"
        row = transaction.append(actor, action, version.subject, details)
        if before is not None:
            set_stage(transaction, before, Stage.RETIRED)
        set_stage(transaction, version, Stage.PRODUCTION)
        deployment = Deployment(version.name, version.version, version.digest, kind, actor.name, reason, row.at)
        transaction.connection.execute(deployments.insert().values(deployment.to_dict()))
        why = "in production" if kind == "promote" else f"version {version.version} was rolled back to"
        end_rollout(transaction, version.name, actor, why, deployed=version.version)
        return deployment


def _enter(transaction: LedgerTransaction, manifest: Manifest, folder: str, actor: Actor) -> ModelVersion:
    """The package as the next version of its model."""
    number = _next_number(transaction.connection, manifest.name)
    subject = f"{manifest.name}/{number}"
    if manifest.version != str(number):
        raise StateError(
            f"the next version is {number}, but the package was built as version {manifest.version}",
            where=folder,
            cure="Run: modelyard package",
        )
    author = manifest.author or actor.name
    details = {"digest": manifest.digest, "author": author, "run": manifest.run_id, "folder": folder}
    row = transaction.append(actor, "version.registered", subject, details)
    version = ModelVersion(
        name=manifest.name,
        version=number,
        digest=manifest.digest,
        folder=folder,
        run_id=manifest.run_id,
        stage=Stage.CANDIDATE,
        author=author,
        requested_by=actor.name,
        created_at=row.at,
    )
    values = {key: value for key, value in version.to_dict().items() if key in versions.c}
    transaction.connection.execute(versions.insert().values(values))
    set_stage(transaction, version, version.stage)
    return version


def _next_number(connection: sa.Connection, name: str) -> int:
    return max((version.version for version in read_versions(connection, name)), default=0) + 1


def _in_production(connection: sa.Connection, name: str) -> ModelVersion | None:
    log = read_deployments(connection, name)
    return read_version(connection, name, log[-1].version) if log else None


def _require_reason(reason: str, subject: str) -> None:
    if not reason.strip():
        raise StateError("a reason is needed", where=subject, cure="Say why in a few words; it goes to the ledger")


def _rolled_out(connection: sa.Connection, name: str) -> tuple[ModelVersion, str]:
    """The version whose rollout has come to its end, and how."""
    view = under_way(connection, name)
    if view is None or view.state.phase is not Phase.PROMOTING:
        raise StateError("no rollout has come to its end", where=name, cure="Run: modelyard rollout")
    return read_version(connection, name, view.rollout.version), view.state.why
