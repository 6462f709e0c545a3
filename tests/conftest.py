"""Fixtures that all rooms share: real tables, and an actor."""

from pathlib import Path

import pytest

from modelyard.cli.progress import console
from modelyard.core.actor import Actor, ActorSource

pytest.register_assert_rewrite("tests.same_run")  # so that it says where two runs differ

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the real data sets; see its README for sources and licences."""
    return DATA


@pytest.fixture(autouse=True)
def console_of_this_test() -> None:
    """The console is as wide as the test that writes to it says, not as the first one of the process."""
    console.cache_clear()


@pytest.fixture
def actor() -> Actor:
    """Somebody who acts."""
    return Actor("ada", ActorSource.OS_USER, ("admin",))
