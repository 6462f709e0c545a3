"""Who may judge a version: somebody else than those who made it, and in tier high nobody who could be two people."""

from collections.abc import Sequence

from modelyard.core import Actor, NotPermittedError
from modelyard.governance.identity import is_same_person
from modelyard.governance.records import ModelVersion
from modelyard.governance.roles import Role, roles_that_may
from modelyard.problem.schema import Policy

__all__ = ["made_by", "require_no_admin", "require_other_person"]


def made_by(name: str, version: ModelVersion) -> bool:
    """True if somebody of this name built or registered the version."""
    return any(is_same_person(name, maker) for maker in (version.author, version.requested_by))


def require_other_person(
    version: ModelVersion, actor: Actor, policy: Policy, verb: str, others: Sequence[str] = ()
) -> None:
    """The two-person rule.

    Parameters
    ----------
    verb
        ``approve`` or ``validate``.
    others
        Who did the other of the two; in tier high that is a third person.

    Raises
    ------
    NotPermittedError
        If the actor made the version, or in tier high did the other of the two.
    """
    said = {"approve": "approves", "validate": "validates"}[verb]
    if policy.two_person and made_by(actor.name, version):
        raise NotPermittedError(
            f"nobody {said} their own model",
            where=version.subject,
            got=f"{actor.name}, who built or registered it",
            cure=f"Ask somebody else who is {roles_that_may(verb)}; "
            "a project of one person may set policy.two_person: false",
        )
    if policy.tier == "high" and any(is_same_person(actor.name, other) for other in others):
        raise NotPermittedError(
            "in tier high nobody both validates and approves a version",
            where=version.subject,
            got=actor.name,
            cure=f"Ask a third person who is {roles_that_may(verb)}",
        )
    require_no_admin(version, actor, policy)


def require_no_admin(version: ModelVersion, actor: Actor, policy: Policy) -> None:
    """In tier high nobody who can make tokens, and so be somebody else, judges a version.

    Raises
    ------
    NotPermittedError
        If the actor is an admin, whatever else they are.
    """
    if policy.tier == "high" and Role.ADMIN.value in actor.roles:
        raise NotPermittedError(
            "in tier high an admin neither validates nor approves",
            where=version.subject,
            got=", ".join(actor.roles),
            cure="Ask somebody who acts with a token of their own: modelyard token NAME --role ROLE",
        )
