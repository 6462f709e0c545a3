"""Tokens: with one, somebody else acts on a project, or a program asks its server."""

import dataclasses
import datetime as dt
import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from modelyard.core import Actor, Clock, ConfigError, Record, system_clock
from modelyard.governance.identity import is_same_person, token_hash
from modelyard.governance.roles import PERMISSIONS, parse_roles, require_permission
from modelyard.governance.tables import revocations, token_scopes, tokens
from modelyard.store import Ledger, repeated

__all__ = ["Token", "Tokens", "create_token", "revoke_tokens", "valid_tokens"]

_PREFIX = "my_"
_LIFETIME = dt.timedelta(days=90)


@dataclasses.dataclass(frozen=True)
class Token(Record):
    """A token that is neither void nor expired.

    Parameters
    ----------
    hash
        SHA-256 of its text, in hexadecimal.
    owner, roles
        Whose it is, and what that is to the project.
    expires_at
        When it becomes void; UTC.
    models
        For which models alone it is; empty for all.
    """

    hash: str
    owner: str
    roles: tuple[str, ...]
    expires_at: dt.datetime
    models: tuple[str, ...] = ()

    def may(self, verb: str) -> bool:
        """Whether one of the roles allows a verb."""
        return bool({role.value for role in PERMISSIONS[verb]} & set(self.roles))


class Tokens:
    """The tokens of a project, as an actor may handle them.

    Parameters
    ----------
    ledger
        In whose database they are.
    actor
        Who makes and revokes them.
    """

    def __init__(self, ledger: Ledger, actor: Actor) -> None:
        self._ledger = ledger
        self._actor = actor

    def create(
        self, owner: str, roles: Sequence[str], *, models: Sequence[str] = (), lifetime: dt.timedelta = _LIFETIME
    ) -> str:
        """A new token; see :func:`create_token`."""
        return create_token(self._ledger, owner, tuple(roles), self._actor, models=tuple(models), lifetime=lifetime)

    def revoke(self, owner: str) -> int:
        """Make the tokens of ``owner`` void; see :func:`revoke_tokens`."""
        return revoke_tokens(self._ledger, owner, self._actor)

    def valid(self) -> tuple[Token, ...]:
        """Those that are neither revoked nor expired, for whichever models; never their texts, which nobody keeps."""
        return _valid(self._ledger, system_clock)


@repeated
def create_token(
    ledger: Ledger,
    owner: str,
    roles: tuple[str, ...],
    actor: Actor,
    *,
    models: tuple[str, ...] = (),
    lifetime: dt.timedelta = _LIFETIME,
) -> str:
    """A new token for ``owner``; the text is returned once, and only its hash is stored.

    Parameters
    ----------
    models
        For which models alone it is; by default for all whose registry is in this database.
    lifetime
        Until it expires.

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
        "hash": token_hash(token),
        "owner": owner.strip(),
        "roles": " ".join(granted),
        "expires_at": (system_clock() + lifetime).isoformat(),
    }
    ledger.create_tables()
    with ledger.transaction() as transaction:
        transaction.connection.execute(tokens.insert().values(row))
        for model in sorted(set(models)):
            transaction.connection.execute(token_scopes.insert().values(hash=row["hash"], model=model))
        details = {"roles": list(granted), "expires_at": row["expires_at"], "hash": row["hash"]}
        details |= {"models": sorted(set(models))} if models else {}
        transaction.append(actor, "token.created", owner.strip(), details)
    return token


@repeated
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
            transaction.append(actor, "token.revoked", owner.strip(), {"tokens": len(hashes), "hashes": hashes})
    return len(hashes)


def valid_tokens(ledger: Ledger, *, model: str | None = None, clock: Clock = system_clock) -> tuple[Token, ...]:
    """The tokens that are neither revoked nor expired and are for ``model``; without one, those that are for all."""
    return tuple(token for token in _valid(ledger, clock) if not token.models or model in token.models)


def _valid(ledger: Ledger, clock: Clock) -> tuple[Token, ...]:
    """All that are neither revoked nor expired."""
    ledger.create_tables()
    query = sa.select(tokens).where(tokens.c.hash.not_in(sa.select(revocations.c.hash)))
    with ledger.reading() as connection:
        rows = connection.execute(query).all()
        scopes: dict[str, list[str]] = {}
        for scope in connection.execute(sa.select(token_scopes).order_by(token_scopes.c.model)):
            scopes.setdefault(scope.hash, []).append(scope.model)
    now = clock()
    found = (
        Token(
            row.hash,
            row.owner,
            tuple(row.roles.split()),
            dt.datetime.fromisoformat(row.expires_at),
            tuple(scopes.get(row.hash, ())),
        )
        for row in rows
    )
    return tuple(token for token in found if token.expires_at > now)
