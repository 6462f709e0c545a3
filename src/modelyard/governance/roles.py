"""Roles, and what each may do, as data."""

import enum
from collections.abc import Mapping

from modelyard.core import Actor, ConfigError, NotPermittedError
from modelyard.problem import did_you_mean

__all__ = ["OWNER_ROLES", "PERMISSIONS", "Role", "parse_roles", "require_permission", "roles_that_may"]


class Role(enum.StrEnum):
    """What somebody is to a project; one may hold several. The last two are for programs that ask its server."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    VALIDATOR = "validator"
    APPROVER = "approver"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"
    PREDICT = "predict"
    FEEDBACK = "feedback"


PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "audit": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "train": frozenset({Role.DEVELOPER, Role.ADMIN}),
    "acknowledge": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "correct": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "label": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "evaluate": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "open_test": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "register": frozenset({Role.DEVELOPER, Role.ADMIN}),
    "validate": frozenset({Role.VALIDATOR}),
    "approve": frozenset({Role.APPROVER}),
    "promote": frozenset({Role.OPERATOR, Role.ADMIN}),
    "break_glass": frozenset({Role.OPERATOR}),
    "review_break_glass": frozenset({Role.APPROVER, Role.VALIDATOR}),
    "rollback": frozenset({Role.OPERATOR, Role.ADMIN}),
    "export": frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    "serve": frozenset({Role.OPERATOR, Role.DEVELOPER, Role.ADMIN}),
    "score": frozenset({Role.OPERATOR, Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "monitor": frozenset({Role.OPERATOR, Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "erase": frozenset({Role.OPERATOR, Role.ADMIN}),
    "manage_tokens": frozenset({Role.ADMIN}),
    "renew_ledger": frozenset({Role.ADMIN}),
    "predict": frozenset({Role.PREDICT, Role.OPERATOR, Role.ADMIN}),
    "feedback": frozenset({Role.FEEDBACK, Role.OPERATOR, Role.ADMIN}),
    "handle_alerts": frozenset({Role.OPERATOR, Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "operate": frozenset({Role.OPERATOR, Role.ADMIN}),
}
"""Verb to the roles that may do it. Reading is free to everybody who can read the project's folder.

Whoever makes tokens could make one in any name. So an admin as such neither validates, approves nor goes past the gates:
these three belong to their roles alone."""

OWNER_ROLES = (Role.ADMIN, Role.APPROVER, Role.OPERATOR, Role.VALIDATOR)
"""What the owner of a project's folder is to it: everything, as before on a laptop. In tier high nobody who is admin
validates or approves, whatever else they are."""


def parse_roles(names: tuple[str, ...]) -> tuple[Role, ...]:
    """Role names as roles, sorted.

    Raises
    ------
    ConfigError
        If a name is unknown, or none is given.
    """
    known = [role.value for role in Role]
    for name in names:
        if name not in known:
            raise ConfigError("there is no such role", where="role", got=repr(name), cure=did_you_mean(name, known))
    if not names:
        raise ConfigError("a token needs a role", where="role", cure=f"Choose from: {', '.join(known)}")
    return tuple(sorted({Role(name) for name in names}))


def roles_that_may(verb: str) -> str:
    """The roles that may do ``verb``, for a sentence."""
    return " or ".join(sorted(role.value for role in PERMISSIONS[verb]))


def require_permission(actor: Actor, verb: str) -> None:
    """Let an actor with a fitting role pass.

    Raises
    ------
    NotPermittedError
        If none of the actor's roles may do ``verb``.
    """
    if not {role.value for role in PERMISSIONS[verb]} & set(actor.roles):
        raise NotPermittedError(
            f"{actor.name} may not {verb.replace('_', ' ')}",
            where="roles",
            got=", ".join(actor.roles) or "no role",
            cure=f"Ask somebody who is {roles_that_may(verb)}, or an admin for a token with that role",
        )
