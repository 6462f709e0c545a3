"""Roles, and what each may do, as data."""

import enum
from collections.abc import Mapping

from modelyard.core import Actor, ConfigError, NotPermittedError
from modelyard.problem import did_you_mean

__all__ = ["PERMISSIONS", "Role", "parse_roles", "require_permission", "roles_that_may"]


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
    "train": frozenset({Role.DEVELOPER, Role.ADMIN}),
    "acknowledge": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "correct": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "label": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "open_test": frozenset({Role.DEVELOPER, Role.VALIDATOR, Role.ADMIN}),
    "register": frozenset({Role.DEVELOPER, Role.ADMIN}),
    "approve": frozenset({Role.APPROVER, Role.ADMIN}),
    "promote": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollback": frozenset({Role.OPERATOR, Role.ADMIN}),
    "serve": frozenset({Role.OPERATOR, Role.DEVELOPER, Role.ADMIN}),
    "manage_tokens": frozenset({Role.ADMIN}),
    "renew_ledger": frozenset({Role.ADMIN}),
    "predict": frozenset({Role.PREDICT, Role.OPERATOR, Role.ADMIN}),
    "feedback": frozenset({Role.FEEDBACK, Role.OPERATOR, Role.ADMIN}),
    "operate": frozenset({Role.OPERATOR, Role.ADMIN}),
}
"""Verb to the roles that may do it. Reading is free to everybody who can read the project's folder."""


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
