"""A light door imports what is asked for, and nothing before."""

import subprocess
import sys

import pytest

import modelyard.data
from modelyard.core.doors import light_door
from modelyard.core.errors import StateError


def test_a_name_brings_its_module_and_no_other() -> None:
    """The reader of sources, with its databases, stays where it is when a contract is wanted."""
    code = (
        "import sys, modelyard.data as data\n"
        "first = 'modelyard.data.contract' in sys.modules\n"
        "print(first, data.Contract.__module__, 'modelyard.data.read' in sys.modules, 'sqlalchemy' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)

    assert result.stdout.split() == ["False", "modelyard.data.contract", "False", "False"]


def test_strangers_are_refused_as_by_any_module() -> None:
    """A name that the door does not list is an AttributeError that names the room."""
    with pytest.raises(AttributeError, match=r"has no attribute .stranger."):
        light_door("modelyard.data")("stranger")


def test_what_was_asked_for_once_is_there() -> None:
    """The second look finds the name in the room itself."""
    contract = modelyard.data.Contract

    assert vars(modelyard.data)["Contract"] is contract


def test_a_door_without_its_source_is_an_error() -> None:
    """A room of C code cannot be read."""
    with pytest.raises(StateError, match=r"a room.s door cannot be read"):
        light_door("sys")
