"""Which ledger is a project's: the file of its own, or a database that several people share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.core import ConfigError, StateError
from modelyard.store.checkpoints import notary_of
from modelyard.store.ledger import Ledger

if TYPE_CHECKING:
    from modelyard.problem.sections import StorePlan

__all__ = ["STORE_VARIABLE", "open_ledger"]

STORE_VARIABLE = "MODELYARD_STORE"
_FILE = "ledger.db"
_HEAD = "ledger.head"


def open_ledger(state: Path, plan: "StorePlan | None" = None) -> Ledger:
    """The ledger of a project.

    On a shared store each machine keeps a head file of its own: so it finds a server whose ledger was cut off since it was
    last here, and a project whose history suddenly lies somewhere else.

    Parameters
    ----------
    state
        The project's folder ``.modelyard``.
    plan
        What the project file says; ``MODELYARD_STORE`` says it for a machine, and wins.

    Raises
    ------
    StateError
        If the project has a history in its own file already.
    ConfigError
        If the address is not PostgreSQL's, or names a variable that is not set.
    ModelyardError
        As :meth:`Ledger.open` raises.
    """
    notary = notary_of(plan.checkpoints, state.parent) if plan and plan.checkpoints.to else None
    address = os.environ.get(STORE_VARIABLE) or (plan.address if plan else None)
    if not address:
        return Ledger.open(state / _FILE, notary=notary)
    if (state / _FILE).exists():
        raise StateError(
            "this project has a history of its own, and names a shared store",
            where=str(state / _FILE),
            got=_shown(address),
            cure=f"Run: modelyard share; or take out store.address, or {STORE_VARIABLE}",
        )
    return Ledger.open(server(address), head=state / _HEAD, notary=notary)


def server(address: str) -> str:
    """The whole address of a shared store, password and all.

    Raises
    ------
    ConfigError
        If it is not PostgreSQL's, or names a variable that is not set.
    """
    from modelyard.problem.address import fill_in, scheme_of

    if scheme_of(address) not in ("postgresql", "postgresql+psycopg"):
        raise ConfigError(
            "a shared store is a PostgreSQL database",
            where=STORE_VARIABLE,
            got=_shown(address),
            cure="Write postgresql+psycopg://user:${PASSWORD}@host/name, or take it out: the history then lies in a file",
        )
    filled, _ = fill_in(address)
    return filled.replace("postgresql://", "postgresql+psycopg://", 1)


def _shown(address: str) -> str:
    from modelyard.problem.address import without_password

    return without_password(address)
