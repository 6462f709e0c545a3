"""Who acts: the owner of a token, or the user of the operating system. Never what the caller says."""

import datetime as dt
import hashlib
import os
import unicodedata
from pathlib import Path

import sqlalchemy as sa

from modelyard.core import Actor, Clock, NotPermittedError, system_clock
from modelyard.core.actor import ActorSource, login_of
from modelyard.governance.roles import OWNER_ROLES, Role
from modelyard.governance.tables import revocations, token_scopes, tokens
from modelyard.store import Ledger

__all__ = ["current_actor", "is_same_person", "token_hash"]


def current_actor(
    ledger: Ledger, token: str | None, root: Path, *, model: str | None = None, clock: Clock = system_clock
) -> Actor:
    """Who is acting.

    With a token: its owner, with the roles it carries. Without: the user of the process by the system's own
    account (effective user id; environment variables are not asked). The owner of the project's folder, and root, hold
    :data:`~modelyard.governance.roles.OWNER_ROLES`; other users are viewers until somebody gives them a token.

    Raises
    ------
    NotPermittedError
        If the token is unknown, expired or revoked, or is for other models than ``model``.
    """
    if token is not None:
        return _owner_of(ledger, token.strip(), model, clock)
    user = os.geteuid()
    owns = user == 0 or not root.exists() or root.stat().st_uid == user
    roles = OWNER_ROLES if owns else (Role.VIEWER,)
    return Actor(login_of(user), ActorSource.OS_USER, tuple(role.value for role in roles))


def is_same_person(first: str, second: str) -> bool:
    """Whether two names mean one person: case, width of letters and spaces around a name make no second self.

    >>> is_same_person("Ada", "ada "), is_same_person("ada", "grace")
    (True, False)
    """
    return _folded(first) == _folded(second)


def token_hash(token: str) -> str:
    """What is stored of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def _owner_of(ledger: Ledger, token: str, model: str | None, clock: Clock) -> Actor:
    """The actor that a token names; tokens are looked up by hash, so nothing secret is compared."""
    ledger.create_tables()
    with ledger.reading() as connection:
        row = connection.execute(sa.select(tokens).where(tokens.c.hash == token_hash(token))).one_or_none()
        void = connection.execute(
            sa.select(revocations.c.hash).where(revocations.c.hash == token_hash(token))
        ).one_or_none()
        scopes = connection.execute(sa.select(token_scopes.c.model).where(token_scopes.c.hash == token_hash(token)))
        models = sorted(scopes.scalars())
    if row is None:
        problem = "is not known to this project"
    elif void is not None:
        problem = "was revoked"
    elif dt.datetime.fromisoformat(row.expires_at) <= clock():
        problem = "has expired"
    elif models and model not in models:
        problem = f"is for {', '.join(models)} alone"
    else:
        return Actor(row.owner, ActorSource.TOKEN, tuple(row.roles.split()))
    raise NotPermittedError(
        f"the token {problem}",
        where="MODELYARD_TOKEN",
        cure="Ask an admin of the project: modelyard token NAME --role ROLE",
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
