"""Which extra an optional family needs, and the refusal where it is not installed."""

import importlib.util
from collections.abc import Mapping

from modelyard.core import MissingExtraError

__all__ = ["is_installed", "require_library"]

_LIBRARIES: Mapping[str, tuple[str, str, str]] = {
    "catboost": ("catboost", "catboost", "catboost"),
    "ebm": ("interpret", "interpret-core", "interpret"),
}
"""Family to the module it imports, its distribution, and modelyard's extra."""


def is_installed(family: str) -> bool:
    """True unless the family needs a library that is not here."""
    return family not in _LIBRARIES or importlib.util.find_spec(_LIBRARIES[family][0]) is not None


def require_library(family: str) -> None:
    """Refuse a family that cannot be fitted here, before anything else is done.

    Raises
    ------
    MissingExtraError
        If its library is not installed.
    """
    if not is_installed(family):
        _, distribution, extra = _LIBRARIES[family]
        raise MissingExtraError(distribution, extra=extra, needed_for=f"the family {family!r}")
