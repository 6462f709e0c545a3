"""The registry: versions, approvals and deployments; every change and its ledger row are one transaction."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from modelyard.core import (
    Actor,
    GateRefusedError,
    IntegrityError,
    NotPermittedError,
    StateError,
    WaitingForApprovalError,
)
from modelyard.governance.records import Approval, Deployment, ModelVersion
from modelyard.governance.roles import require_permission, roles_that_may
from modelyard.governance.stages import Stage, require_transition
from modelyard.governance.tables import approvals, deployments, stage_changes, versions
from modelyard.packaging import Package, load_package
from modelyard.problem.schema import Policy
from modelyard.store import LedgerTransaction, Workspace

__all__ = ["Registry"]


class Registry:
    """All versions of a project's models.

    Nothing is ever updated: the stage of a version is its latest stage row, what is in production is the latest
    deployment row. Before a version is registered, approved, promoted or rolled back to, its package is read from the
    disk and verified against the digest that was registered; any changed byte voids it.

    Parameters
    ----------
    workspace
        The project's state; packages lie in its folder ``packages``.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ledger = workspace.ledger
        self._ledger.create_tables()

    def next_version(self, name: str) -> int:
        """The number that the next version of a model gets."""
        return max((version.version for version in self.versions(name)), default=0) + 1

    def register(self, package: Package, actor: Actor) -> ModelVersion:
        """Enter a package as the next version; registering the same package again returns its version.

        Raises
        ------
        NotPermittedError
            If the actor may not register.
        IntegrityError
            If the package is not what was built.
        StateError
            If the package was built for a number that is taken: build it again.
        """
        require_permission(actor, "register")
        manifest = load_package(package.folder).manifest
        known = [item for item in self.versions(manifest.name) if item.digest == manifest.digest]
        if known:
            return known[0]
        number = self.next_version(manifest.name)
        if manifest.version != str(number):
            raise StateError(
                f"the next version is {number}, but the package was built as version {manifest.version}",
                where=str(package.folder),
                cure="Run: modelyard package",
            )
        row = {
            "name": manifest.name,
            "version": number,
            "digest": manifest.digest,
            "folder": package.folder.name,
            "run_id": manifest.run_id,
            "author": manifest.author or actor.name,
            "requested_by": actor.name,
            "created_at": manifest.created_at.isoformat(),
        }
        with self._ledger.transaction() as transaction:
            transaction.connection.execute(versions.insert().values(row))
            _set_stage(transaction, manifest.name, number, Stage.CANDIDATE)
            details = {"digest": manifest.digest, "author": row["author"], "run": manifest.run_id}
            transaction.append(actor, "version.registered", f"{manifest.name}/{number}", details)
        return self.version(manifest.name, number)

    def approve(self, name: str, number: int, actor: Actor, reason: str, policy: Policy) -> ModelVersion:
        """Approve a version; with the last approval that the policy asks for it becomes ``approved``.

        Raises
        ------
        NotPermittedError
            If the actor may not approve, or by the two-person rule is the version's author or requester.
        StateError
            If the version is no candidate, or the actor approved it already, or there is no reason.
        IntegrityError
            If the package's bytes have changed.
        """
        require_permission(actor, "approve")
        version = self.version(name, number)
        _require_reason(reason, version.subject)
        if policy.two_person and actor.name in (version.author, version.requested_by):
            raise NotPermittedError(
                "nobody approves their own model",
                where=version.subject,
                got=f"{actor.name}, who built or registered it",
                cure=f"Ask somebody else who is {roles_that_may('approve')}; "
                "a project of one person may set policy.two_person: false, which the card will show",
            )
        require_transition(version.subject, version.stage, Stage.APPROVED)
        self._verified(version)
        if any(item.approver == actor.name for item in self.approvals(name, number)):
            raise StateError("this actor has approved it already", where=version.subject, got=actor.name)
        with self._ledger.transaction() as transaction:
            at = dt.datetime.now(dt.UTC).isoformat()
            values = {"name": name, "version": number, "digest": version.digest}
            row = {**values, "approver": actor.name, "reason": reason, "at": at}
            transaction.connection.execute(approvals.insert().values(row))
            if version.approvals + 1 >= policy.approvals:
                _set_stage(transaction, name, number, Stage.APPROVED)
            transaction.append(actor, "version.approved", version.subject, {"digest": version.digest, "reason": reason})
        return self.version(name, number)

    def reject(self, name: str, number: int, actor: Actor, reason: str) -> ModelVersion:
        """Reject a version for good.

        Raises
        ------
        NotPermittedError
            If the actor may not approve.
        StateError
            If it is in production or retired, or there is no reason.
        """
        require_permission(actor, "approve")
        version = self.version(name, number)
        _require_reason(reason, version.subject)
        require_transition(version.subject, version.stage, Stage.REJECTED)
        with self._ledger.transaction() as transaction:
            _set_stage(transaction, name, number, Stage.REJECTED)
            transaction.append(actor, "version.rejected", version.subject, {"reason": reason})
        return self.version(name, number)

    def promote(self, name: str, number: int, actor: Actor, policy: Policy, owner: str) -> Deployment:
        """Put an approved version into production; the one before retires.

        Raises
        ------
        GateRefusedError
            If the model has no owner.
        WaitingForApprovalError
            If approvals are missing.
        NotPermittedError, StateError, IntegrityError
            If the actor may not promote; the stage does not allow it; the package's bytes have changed.
        """
        require_permission(actor, "promote")
        version = self.version(name, number)
        if not owner.strip():
            raise GateRefusedError(
                "no model goes into production without an owner",
                where=version.subject,
                cure="Fill in 'owner' in the project file",
            )
        if version.stage is Stage.CANDIDATE and version.approvals < policy.approvals:
            raise WaitingForApprovalError(
                "the version waits for approval",
                where=version.subject,
                got=f"{version.approvals} of {policy.approvals} approvals",
                cure=f'Somebody who is {roles_that_may("approve")} runs: modelyard approve {number} --reason "..."',
            )
        if version.stage is Stage.CANDIDATE:
            require_transition(version.subject, Stage.APPROVED, Stage.PRODUCTION)
        else:
            require_transition(version.subject, version.stage, Stage.PRODUCTION)
        return self._deploy(version, actor, "promote", f"{version.approvals} approvals")

    def rollback(self, name: str, actor: Actor, reason: str) -> Deployment:
        """Put back what was in production before, as the deployment log says, after verifying that it still loads.

        Raises
        ------
        StateError
            If nothing was in production before, or there is no reason.
        NotPermittedError, IntegrityError
            If the actor may not roll back; the earlier package's bytes have changed.
        """
        require_permission(actor, "rollback")
        _require_reason(reason, name)
        history = self.deployments(name)
        current = history[-1].version if history else None
        earlier = next((item.version for item in reversed(history) if item.version != current), None)
        if earlier is None:
            raise StateError(
                "there is no earlier version to go back to", where=name, cure="Promote another version instead"
            )
        return self._deploy(self.version(name, earlier), actor, "rollback", reason)

    def versions(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """All versions, or those of one model, oldest first."""
        query = sa.select(versions).order_by(versions.c.name, versions.c.version)
        if name is not None:
            query = query.where(versions.c.name == name)
        with self._ledger.reading() as connection:
            rows = connection.execute(query).mappings().all()
            return tuple(_as_version(connection, row) for row in rows)

    def version(self, name: str, number: int) -> ModelVersion:
        """One version.

        Raises
        ------
        StateError
            If there is none of that number.
        """
        known = self.versions(name)
        for item in known:
            if item.version == number:
                return item
        there = ", ".join(str(item.version) for item in known) or "none"
        raise StateError("there is no such version", where=f"{name}/{number}", cure=f"Versions of {name}: {there}")

    def production(self, name: str) -> ModelVersion | None:
        """The version in production; None if there is none."""
        history = self.deployments(name)
        return self.version(name, history[-1].version) if history else None

    def approvals(self, name: str, number: int) -> tuple[Approval, ...]:
        """Who approved a version, in order."""
        query = (
            sa.select(approvals).where(approvals.c.name == name, approvals.c.version == number).order_by(approvals.c.id)
        )
        with self._ledger.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(Approval.from_dict(_without_id(row)) for row in rows)

    def deployments(self, name: str) -> tuple[Deployment, ...]:
        """The deployment log of a model, oldest first."""
        query = sa.select(deployments).where(deployments.c.name == name).order_by(deployments.c.id)
        with self._ledger.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(Deployment.from_dict(_without_id(row)) for row in rows)

    def package(self, version: ModelVersion) -> Package:
        """The verified package of a version.

        Raises
        ------
        IntegrityError
            If its bytes are not those that were registered.
        """
        return self._verified(version)

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

    def _deploy(self, version: ModelVersion, actor: Actor, kind: str, reason: str) -> Deployment:
        """The pointer swap: one deployment row, stages and ledger row in one transaction."""
        self._verified(version)
        before = self.production(version.name)
        row = {
            "name": version.name,
            "version": version.version,
            "digest": version.digest,
            "kind": kind,
            "actor": actor.name,
            "reason": reason,
            "at": dt.datetime.now(dt.UTC).isoformat(),
        }
        with self._ledger.transaction() as transaction:
            if before is not None:
                _set_stage(transaction, before.name, before.version, Stage.RETIRED)
            _set_stage(transaction, version.name, version.version, Stage.PRODUCTION)
            transaction.connection.execute(deployments.insert().values(row))
            details = {"digest": version.digest, "reason": reason, "before": before.version if before else None}
            action = "version.promoted" if kind == "promote" else "version.rolled_back"
            transaction.append(actor, action, version.subject, details)
        return Deployment.from_dict(row)


def _require_reason(reason: str, subject: str) -> None:
    if not reason.strip():
        raise StateError("a reason is needed", where=subject, cure="Say why in a few words; it goes to the ledger")


def _set_stage(transaction: LedgerTransaction, name: str, number: int, stage: Stage) -> None:
    row = {"name": name, "version": number, "stage": stage.value}
    transaction.connection.execute(stage_changes.insert().values(row))


def _without_id(row: sa.RowMapping) -> dict[str, Any]:
    return {str(key): value for key, value in row.items() if key != "id"}


def _as_version(connection: sa.Connection, row: sa.RowMapping) -> ModelVersion:
    """A version row with its latest stage, and the approvals that bind to its digest."""
    same = (stage_changes.c.name == row["name"], stage_changes.c.version == row["version"])
    stage = connection.execute(
        sa.select(stage_changes.c.stage).where(*same).order_by(stage_changes.c.id.desc()).limit(1)
    ).scalar_one()
    bound = (
        approvals.c.name == row["name"],
        approvals.c.version == row["version"],
        approvals.c.digest == row["digest"],
    )
    count = connection.execute(sa.select(sa.func.count()).select_from(approvals).where(*bound)).scalar_one()
    return ModelVersion.from_dict({**row, "stage": stage, "approvals": count})
