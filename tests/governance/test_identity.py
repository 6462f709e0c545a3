import datetime as dt
import os
import pwd
from pathlib import Path

import pytest

from modelyard.core import Actor, ConfigError, NotPermittedError
from modelyard.core.actor import ActorSource
from modelyard.governance import create_token, current_actor, require_permission, revoke_tokens
from modelyard.governance.roles import PERMISSIONS, Role, parse_roles
from modelyard.store import Workspace

ADMIN = Actor("ada", ActorSource.OS_USER, ("admin",))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty project."""
    return Workspace(tmp_path)


def test_the_os_user_is_asked_of_the_system(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables do not make somebody else of a user; the folder's owner is its admin."""
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    actor = current_actor(workspace.ledger, None, workspace.root)

    name = pwd.getpwuid(os.geteuid()).pw_name

    assert actor == Actor(name, ActorSource.OS_USER, ("admin", "approver", "operator", "validator"))


def test_other_users_are_viewers(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who neither owns the folder nor is root may look; an account without a name is called by its number."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    assert current_actor(workspace.ledger, None, workspace.root) == Actor("uid-54321", ActorSource.OS_USER, ("viewer",))


def test_a_token_names_its_owner(workspace: Workspace) -> None:
    """The owner acts with the roles of the token, sorted; spaces around the text do no harm."""
    token = create_token(workspace.ledger, "bob", ("operator", "approver"), ADMIN)

    assert current_actor(workspace.ledger, f" {token}\n", workspace.root) == Actor(
        "bob", ActorSource.TOKEN, ("approver", "operator")
    )


def test_only_the_hash_is_stored(workspace: Workspace) -> None:
    """The token's text is in none of the project's files."""
    token = create_token(workspace.ledger, "bob", ("approver",), ADMIN)
    files = [path for path in workspace.state.rglob("*") if path.is_file()]

    assert files
    assert not any(token.encode() in path.read_bytes() or token[3:].encode() in path.read_bytes() for path in files)
    (row,) = workspace.ledger.rows(action="token.created")
    assert (row.subject, row.details["roles"]) == ("bob", ["approver"])


@pytest.mark.parametrize("token", ["", "my_nothing", "x" * 10_000, "' OR 1=1 --"])
def test_an_unknown_token_is_refused(workspace: Workspace, token: str) -> None:
    """A token that does not exist never falls back to the OS user."""
    create_token(workspace.ledger, "bob", ("approver",), ADMIN)
    with pytest.raises(NotPermittedError, match="not known"):
        current_actor(workspace.ledger, token, workspace.root)


def test_a_token_expires(workspace: Workspace) -> None:
    """It works until its last second."""
    token = create_token(workspace.ledger, "bob", ("approver",), ADMIN, lifetime=dt.timedelta(days=2))
    now = dt.datetime.now(dt.UTC)
    before = current_actor(workspace.ledger, token, workspace.root, clock=lambda: now + dt.timedelta(days=1.99))

    assert before.name == "bob"
    with pytest.raises(NotPermittedError, match="has expired"):
        current_actor(workspace.ledger, token, workspace.root, clock=lambda: now + dt.timedelta(days=2.01))


def test_a_token_can_be_revoked(workspace: Workspace) -> None:
    """All tokens of an owner are void at once; other owners' stay; a second revocation finds none."""
    tokens = [create_token(workspace.ledger, "bob", ("approver",), ADMIN) for _ in range(2)]
    other = create_token(workspace.ledger, "carol", ("approver",), ADMIN)

    assert revoke_tokens(workspace.ledger, "bob", ADMIN) == 2
    assert revoke_tokens(workspace.ledger, "bob", ADMIN) == 0
    for token in tokens:
        with pytest.raises(NotPermittedError, match="was revoked"):
            current_actor(workspace.ledger, token, workspace.root)
    assert current_actor(workspace.ledger, other, workspace.root).name == "carol"
    assert [row.details["tokens"] for row in workspace.ledger.rows(action="token.revoked")] == [2]


@pytest.mark.parametrize("owner", ["ada", " Ada ", "ADA", "\uff41da", "", "  "])
def test_nobody_makes_a_second_self(workspace: Workspace, owner: str) -> None:
    """A token for oneself, in any spelling, or for nobody, is refused."""
    with pytest.raises(ConfigError, match="somebody else"):
        create_token(workspace.ledger, owner, ("approver",), ADMIN)


def test_only_admins_make_and_revoke_tokens(workspace: Workspace) -> None:
    """All other roles are refused, and nothing is stored."""
    others = Actor("eve", ActorSource.TOKEN, tuple(role.value for role in Role if role is not Role.ADMIN))
    with pytest.raises(NotPermittedError, match="eve may not manage tokens"):
        create_token(workspace.ledger, "bob", ("admin",), others)
    with pytest.raises(NotPermittedError):
        revoke_tokens(workspace.ledger, "bob", others)

    assert workspace.ledger.rows() == ()


def test_bad_roles_and_lifetimes_are_refused(workspace: Workspace) -> None:
    """An unknown role gets a suggestion; no role and no lifetime are refused."""
    with pytest.raises(ConfigError, match="approver"):
        create_token(workspace.ledger, "bob", ("aprover",), ADMIN)
    with pytest.raises(ConfigError, match="needs a role"):
        create_token(workspace.ledger, "bob", (), ADMIN)
    with pytest.raises(ConfigError, match="live for a while"):
        create_token(workspace.ledger, "bob", ("approver",), ADMIN, lifetime=dt.timedelta(0))


@pytest.mark.parametrize("verb", sorted(PERMISSIONS))
@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_what_the_table_says(verb: str, role: Role) -> None:
    """Each pair of verb and role, and an unknown role which may nothing."""
    actor = Actor("x", ActorSource.TOKEN, (role.value,))
    if role in PERMISSIONS[verb]:
        require_permission(actor, verb)
    else:
        with pytest.raises(NotPermittedError, match="x may not"):
            require_permission(actor, verb)
    with pytest.raises(NotPermittedError):
        require_permission(Actor("x", ActorSource.TOKEN, ("wizard",)), verb)


def test_roles_are_sorted_and_single() -> None:
    """A role named twice is held once."""
    assert parse_roles(("operator", "approver", "operator")) == (Role.APPROVER, Role.OPERATOR)
