"""Who acts: every change names a person or a program, and how that was established."""

import dataclasses
import enum

from modelyard.core.record import Record

__all__ = ["Actor", "ActorSource"]


class ActorSource(enum.StrEnum):
    """How the name was established: the operating system's user, or a token that the registry knows."""

    OS_USER = "os_user"
    TOKEN = "token"  # noqa: S105 - the name of a source, not a secret


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
