"""Staging: an approved version is tried on an address of its own, and what came of it is kept."""

from pathlib import Path

from modelyard.core import Actor, Clock, StateError, system_clock
from modelyard.governance.gating import refusal
from modelyard.governance.history import read_version
from modelyard.governance.promotion import decide, require_way, set_stage
from modelyard.governance.registry import Registry
from modelyard.governance.roles import require_permission
from modelyard.governance.stages import Stage
from modelyard.governance.standing import STAGED, Staging, read_stagings
from modelyard.problem.schema import Policy
from modelyard.store import Workspace, repeated

__all__ = ["StagingArea"]


class StagingArea:
    """Where versions of one model are tried before requests come to them; every trial is a row of the ledger.

    Parameters
    ----------
    workspace
        The project's state.
    name
        The model's in the registry.
    clock
        Says what has expired.
    """

    def __init__(self, workspace: Workspace, name: str, *, clock: Clock = system_clock) -> None:
        self._workspace = workspace
        self._registry = Registry(workspace, clock=clock)
        self._name = name
        self._clock = clock

    @repeated
    def admit(self, number: int, actor: Actor, policy: Policy) -> Path:
        """The verified package of a version that may be tried: every gate but that of staging says yes.

        Raises
        ------
        NotPermittedError, GateRefusedError, WaitingForApprovalError
            If the actor may not promote, a gate says no, approvals are missing.
        StateError, IntegrityError
            If the version's stage does not allow it; the package's bytes have changed.
        """
        require_permission(actor, "promote")
        evidence = self._registry.evidence(self._registry.version(self._name, number))
        with self._workspace.ledger.transaction() as transaction:
            version = read_version(transaction.connection, self._name, number)
            if version.stage is not Stage.STAGING:
                require_way(version, Stage.STAGING)
            decision = decide(transaction, version, policy, evidence, "stage", actor, self._clock())
        if not decision.passed:
            raise refusal(decision)
        return self._workspace.folder("packages", version.folder)

    @repeated
    def enter(self, number: int, digest: str, actor: Actor, *, passed: bool, said: str) -> Staging:
        """Write down what came of a trial: who passed stands in staging, who did not is approved as before.

        Parameters
        ----------
        digest
            Of the bytes that were tried.
        said
            What was found, in words.

        Raises
        ------
        NotPermittedError
            If the actor may not promote.
        StateError
            If the version went on, or was rejected, while it was tried.
        """
        require_permission(actor, "promote")
        with self._workspace.ledger.transaction() as transaction:
            version = read_version(transaction.connection, self._name, number)
            if version.digest != digest or not (version.stage is Stage.CANDIDATE or version.stage.is_waiting):
                raise StateError(
                    "the version did not wait for the end of its trial",
                    where=version.subject,
                    got=version.stage.value,
                    cure="Look at it: modelyard status",
                )
            stage = Stage.STAGING if passed else Stage.APPROVED
            if version.stage is not stage:
                set_stage(transaction, version, stage)
            details = {"digest": digest, "passed": passed, "said": said, "stage": stage.value}
            transaction.append(actor, STAGED, version.subject, details)
            return read_stagings(transaction.connection, version)[-1]

    def latest(self, number: int) -> Staging | None:
        """The last trial of a version's bytes; None if there was none."""
        with self._workspace.ledger.reading() as connection:
            found = read_stagings(connection, read_version(connection, self._name, number))
        return found[-1] if found else None
