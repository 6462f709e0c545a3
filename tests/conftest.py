"""Fixtures that all rooms share: real tables, and an actor."""

from pathlib import Path

import pytest

from modelyard.core.actor import Actor, ActorSource

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the real data sets; see its README for sources and licences."""
    return DATA


@pytest.fixture
def actor() -> Actor:
    """Somebody who acts."""
    return Actor("ada", ActorSource.OS_USER, ("admin",))
