"""Doors that open as far as they are pushed: a room's names are imported when somebody asks for one."""

import ast
import importlib
import pkgutil
import sys
from collections.abc import Callable

from modelyard.core.errors import StateError

__all__ = ["light_door"]


def light_door(room: str) -> Callable[[str], object]:
    """The ``__getattr__`` of a room (PEP 562) whose imports stand under ``if TYPE_CHECKING``.

    Those imports are the only list of what lies where: they are read from the door's own source, so that type checkers,
    people and Python cannot be told different things. A name that a module of the room has too would be that module once
    it is imported, so there must be none.

    Parameters
    ----------
    room
        ``__name__`` of the room.

    Raises
    ------
    StateError
        If the door's source is not there.
    """
    source = pkgutil.get_data(room, "__init__.py")
    if source is None:
        raise StateError("a room's door cannot be read", where=room, cure="Install modelyard with its sources")
    places = {
        name.name: statement.module
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }

    def __getattr__(name: str) -> object:  # noqa: N807 - what Python calls it
        module = places.get(name)
        if module is None:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        found: object = getattr(importlib.import_module(module), name)
        setattr(sys.modules[room], name, found)  # asked for once, it is there
        return found

    return __getattr__
