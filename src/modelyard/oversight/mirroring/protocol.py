"""What a catalogue must be able to do to show a model."""

from pathlib import Path
from typing import Protocol

from modelyard.oversight.mirroring.records import Shown, ShownVersion

__all__ = ["ALIASES", "PREFIX", "Catalogue"]

PREFIX = "modelyard."
"""Begin of our tags; others belong to somebody else and are left alone."""

ALIASES = ("champion", "challenger", "shadow")
"""The aliases that are ours."""


class Catalogue(Protocol):
    """Shows versions of models to people who live there.

    Duties. Every method raises a ``ModelyardError`` that names the place if it cannot be reached. ``read`` reads the bytes
    of every version of ours. What is not ours (other tags, aliases, versions without our tags) is neither read nor
    changed.
    """

    @property
    def where(self) -> str:
        """The address, without a password."""

    def read(self, name: str) -> Shown:
        """What is there of a model; nothing of it if it is not there."""

    def put(self, name: str, number: str, version: ShownVersion, package: Path, before: ShownVersion | None) -> None:
        """Have a version be there with its bytes, tags and description; ``before`` is what is there now."""

    def point(self, name: str, alias: str, number: str) -> None:
        """Have an alias point to a version; remove it for ``""``."""
