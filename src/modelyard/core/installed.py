"""What is installed beside the package: versions of libraries, and what other packages register under entry points."""

import importlib.metadata
from collections.abc import Iterable
from typing import Any

from modelyard.core.errors import ConfigError

__all__ = ["installed_versions", "load_registered"]


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of distributions by name; one that is not installed is left out.

    >>> installed_versions(["no such distribution"])
    {}
    """
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def load_registered(group: str, name: str, *, kind: str, where: str) -> Any:
    """What stands under ``name`` in a group of entry points.

    Parameters
    ----------
    kind, where
        For the error: what it is called, and the key that names it.

    Raises
    ------
    ConfigError
        If there is nothing of that name.
    """
    found = {entry.name: entry for entry in importlib.metadata.entry_points(group=group)}
    if name not in found:
        raise ConfigError(
            f"there is no {kind} of that name",
            where=where,
            got=repr(name),
            cure=f"Choose one of: {', '.join(sorted(found))}",
        )
    return found[name].load()
