"""The stages of a version, and the ways between them, as data."""

import enum
from collections.abc import Mapping

from modelyard.core import StateError

__all__ = ["TRANSITIONS", "Stage", "require_transition"]


class Stage(enum.StrEnum):
    """Where a version stands; exactly one version of a model is in production at a time."""

    CANDIDATE = "candidate"
    APPROVED = "approved"
    STAGING = "staging"
    SHADOW = "shadow"
    CANARY = "canary"
    PRODUCTION = "production"
    RETIRED = "retired"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"

    @property
    def is_waiting(self) -> bool:
        """True if people have said yes, and no request comes to the version yet."""
        return self in (Stage.APPROVED, Stage.STAGING)


TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    Stage.CANDIDATE: frozenset({Stage.APPROVED, Stage.REJECTED, Stage.QUARANTINED}),
    Stage.APPROVED: frozenset(
        {Stage.STAGING, Stage.SHADOW, Stage.CANARY, Stage.PRODUCTION, Stage.REJECTED, Stage.QUARANTINED}
    ),
    Stage.STAGING: frozenset(
        {Stage.APPROVED, Stage.SHADOW, Stage.CANARY, Stage.PRODUCTION, Stage.REJECTED, Stage.QUARANTINED}
    ),
    Stage.SHADOW: frozenset({Stage.APPROVED, Stage.CANARY, Stage.PRODUCTION, Stage.REJECTED, Stage.QUARANTINED}),
    Stage.CANARY: frozenset({Stage.APPROVED, Stage.PRODUCTION, Stage.REJECTED, Stage.QUARANTINED}),
    Stage.PRODUCTION: frozenset({Stage.RETIRED, Stage.QUARANTINED}),
    Stage.RETIRED: frozenset({Stage.PRODUCTION, Stage.QUARANTINED}),
    Stage.REJECTED: frozenset(),
    Stage.QUARANTINED: frozenset(),
}
"""From each stage to those that may follow. A retired version may return to production; its approvals still hold.
A version whose rollout was aborted is approved as before: whether to try again is for a person to say."""


def require_transition(subject: str, before: Stage, after: Stage) -> None:
    """Let an allowed step pass.

    Raises
    ------
    StateError
        If ``after`` may not follow ``before``.
    """
    if after not in TRANSITIONS[before]:
        allowed = ", ".join(sorted(TRANSITIONS[before])) or "nothing"
        raise StateError(
            f"a version that is {before} cannot become {after}",
            where=subject,
            got=before.value,
            cure=f"From {before} it may become: {allowed}",
        )
