"""modelyard: from a table and a question to a model that is served, watched, retrained and accounted for.

The public interface is :class:`Project` with its verbs; everything else is a room that a verb calls.
The map of the rooms, in the order in which data flows through them, is in the README.
"""

from typing import TYPE_CHECKING

from modelyard.version import __version__

if TYPE_CHECKING:
    from modelyard.project import Project

__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> object:
    """Load :class:`Project` on first use, so that ``import modelyard`` stays instant (PEP 562)."""
    if name == "Project":
        from modelyard.project import Project

        return Project
    raise AttributeError(f"module 'modelyard' has no attribute {name!r}")
