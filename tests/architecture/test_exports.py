"""What a room exports is what it says it exports."""

import importlib
import types
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "modelyard"
DOORS = {"TYPE_CHECKING", "light_door"}
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_all_is_sorted_and_complete(room: str) -> None:
    """``__all__`` equals the sorted public names of the room, its modules left out."""
    module = importlib.import_module(f"modelyard.{room}")
    for name in module.__all__:
        getattr(module, name)  # a light door has what was asked for
    visible = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name not in DOORS
    }

    assert set(module.__all__) == visible
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
