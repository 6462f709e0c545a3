"""Who acts: the owner of a token, or the user of the operating system. Never what the caller says."""

import datetime as dt
import hashlib
import os
import pwd
import secrets
import unicodedata
from pathlib import Path

import sqlalchemy as sa

from modelyard.core import Actor, Clock, ConfigError, NotPermittedError, system_clock
from modelyard.core.actor import ActorSource
from modelyard.governance.roles import Role, parse_roles, require_permission
from modelyard.governance.tables import revocations, tokens
from modelyard.store import Ledger

__all__ = ["create_token", "current_actor", "is_same_person", "revoke_tokens"]

_PREFIX = "my_"
_LIFETIME = dt.timedelta(days=90)


def current_actor(ledger: Ledger, token: str | None, root: Path, *, clock: Clock = system_clock) -> Actor:
    """Who is acting.

    With a token: its owner, with the roles it carries. Without: the user of the process by the system's own
    account (effective user id; environment variables are not asked). The owner of the project's folder, and root, are
    its admins; other users are viewers until somebody gives them a token.

    Raises
    ------
    NotPermittedError
        If the token is unknown, expired or revoked.
    """
    if token is not None:
        return _owner_of(ledger, token.strip(), clock)
    user = os.geteuid()
    owns = user == 0 or not root.exists() or root.stat().st_uid == user
    role = Role.ADMIN if owns else Role.VIEWER
    return Actor(_login(user), ActorSource.OS_USER, (role.value,))


def is_same_person(first: str, second: str) -> bool:
    """Whether two names mean one person: case, width of letters and spaces around a name make no second self.

    >>> is_same_person("Ada", "ada "), is_same_person("ada", "grace")
    (True, False)
    """
    return _folded(first) == _folded(second)


def create_token(
    ledger: Ledger, owner: str, roles: tuple[str, ...], actor: Actor, *, lifetime: dt.timedelta = _LIFETIME
) -> str:
    """A new token for ``owner``; the text is returned once, and only its hash is stored.

    Raises
    ------
    NotPermittedError
        If the actor is no admin.
    ConfigError
        If the owner is empty or is the actor, who would have a second self; if a role is unknown; or if the
        lifetime is not above 0.
    """
    require_permission(actor, "manage_tokens")
    granted = parse_roles(roles)
    if not owner.strip() or is_same_person(owner, actor.name):
        raise ConfigError(
            "a token is for somebody else",
            where="owner",
            got=repr(owner),
            cure="Name the person or program that will act with it",
        )
    if lifetime <= dt.timedelta(0):
        raise ConfigError("a token must live for a while", where="lifetime", got=str(lifetime), cure="Give some days")
    token = _PREFIX + secrets.token_urlsafe(32)
    row = {
        "hash": _hash(token),
        "owner": owner.strip(),
        "roles": " ".join(granted),
        "expires_at": (system_clock() + lifetime).isoformat(),
    }
    ledger.create_tables()
    with ledger.transaction() as transaction:
        transaction.connection.execute(tokens.insert().values(row))
        details = {"roles": list(granted), "expires_at": row["expires_at"], "hash": row["hash"][:12]}
        transaction.append(actor, "token.created", owner.strip(), details)
    return token


def revoke_tokens(ledger: Ledger, owner: str, actor: Actor) -> int:
    """Make all tokens of ``owner`` void; returns how many were not void before.

    Raises
    ------
    NotPermittedError
        If the actor is no admin.
    """
    require_permission(actor, "manage_tokens")
    ledger.create_tables()
    with ledger.transaction() as transaction:
        revoked = sa.select(revocations.c.hash)
        query = sa.select(tokens.c.hash).where(tokens.c.owner == owner.strip(), tokens.c.hash.not_in(revoked))
        hashes = list(transaction.connection.execute(query).scalars())
        if hashes:
            transaction.connection.execute(revocations.insert(), [{"hash": value} for value in hashes])
            transaction.append(actor, "token.revoked", owner.strip(), {"tokens": len(hashes)})
    return len(hashes)


def _owner_of(ledger: Ledger, token: str, clock: Clock) -> Actor:
    """The actor that a token names; tokens are looked up by hash, so nothing secret is compared."""
    ledger.create_tables()
    with ledger.reading() as connection:
        row = connection.execute(sa.select(tokens).where(tokens.c.hash == _hash(token))).one_or_none()
        void = connection.execute(sa.select(revocations.c.hash).where(revocations.c.hash == _hash(token))).one_or_none()
    if row is None:
        problem = "is not known to this project"
    elif void is not None:
        problem = "was revoked"
    elif dt.datetime.fromisoformat(row.expires_at) <= clock():
        problem = "has expired"
    else:
        return Actor(row.owner, ActorSource.TOKEN, tuple(row.roles.split()))
    raise NotPermittedError(
        f"the token {problem}",
        where="MODELYARD_TOKEN",
        cure="Ask an admin of the project: modelyard token NAME --role ROLE",
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def _login(user: int) -> str:
    """The login of a user id; the id itself if the system has no account for it, as in some containers."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid-{user}"
