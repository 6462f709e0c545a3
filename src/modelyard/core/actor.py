"""Who acts: every change names a person or a program, and how that was established."""

import dataclasses
import enum
import os
import pwd

from modelyard.core.record import Record

__all__ = ["Actor", "ActorSource", "login_of", "system_actor"]


class ActorSource(enum.StrEnum):
    """How the name was established: the operating system's user, a token that the registry knows, or the schedule's own."""

    OS_USER = "os_user"
    TOKEN = "token"  # noqa: S105 - the name of a source, not a secret
    SCHEDULE = "schedule"


@dataclasses.dataclass(frozen=True)
class Actor(Record):
    """A person or program that acts on a project.

    Parameters
    ----------
    name
        Login or token owner; what the ledger shows.
    source
        How the name was established; never the caller's word.
    roles
        Names of roles held, sorted; see the governance room.
    """

    name: str
    source: ActorSource
    roles: tuple[str, ...] = ()


def login_of(user: int) -> str:
    """The login of a user id; the id itself if the system has no account for it, as in some containers."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid-{user}"


def system_actor() -> Actor:
    """Whoever runs this process, by the system's account, without any role: for what nobody asked for."""
    return Actor(login_of(os.geteuid()), ActorSource.OS_USER)
