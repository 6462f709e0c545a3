"""A trial in staging: the rehearsal of a version that was approved, and a row that says what came of it."""

from modelyard.core import Actor, ModelyardError
from modelyard.governance import Staging, StagingArea
from modelyard.packaging import load_package
from modelyard.problem.schema import Policy
from modelyard.shipping.rehearsal import rehearse

__all__ = ["try_in_staging"]


def try_in_staging(area: StagingArea, number: int, actor: Actor, policy: Policy) -> Staging:
    """Rehearse a version on an address of its own; it passes, or what went wrong is written down and raised.

    Raises
    ------
    NotPermittedError, GateRefusedError, WaitingForApprovalError
        If the actor may not promote, a gate says no, approvals are missing; or the trial failed.
    StateError, IntegrityError
        If the version's stage does not allow it; its bytes are not those that were registered.
    """
    folder = area.admit(number, actor, policy)
    digest = load_package(folder).manifest.digest
    try:
        found = rehearse(folder, digest)
    except ModelyardError as error:
        area.enter(number, digest, actor, passed=False, said=error.sentence)
        raise
    return area.enter(number, digest, actor, passed=True, said=found.sentence)
