"""The README's map, the layers contract and the folders tell the same story."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "modelyard"


def _layers() -> list[str]:
    """Rooms of the import contract in the order in which data flows."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = config["tool"]["importlinter"]["contracts"][0]
    lines = reversed(contract["layers"])
    return [room.strip() for line in lines for room in line.split("|")]


def _rooms_on_disk() -> set[str]:
    folders = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    files = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    return folders | files


def test_contract_names_exactly_the_rooms_on_disk() -> None:
    """Every folder has its place in the contract, and the contract names no ghost."""
    assert _rooms_on_disk() == set(_layers())


def test_readme_map_follows_the_contract() -> None:
    """The README's table lists the rooms in the order of the contract."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+)(?:\.py)?` \|", readme, flags=re.MULTILINE)
    expected = [room for room in _layers() if room != "version"]

    assert rows == expected


def test_each_room_says_what_it_takes_gives_and_never_does() -> None:
    """The docstring of a room's ``__init__`` has the lines Takes, Gives and Never."""
    missing = []
    for path in sorted(SOURCE.glob("*/__init__.py")):
        text = path.read_text(encoding="utf-8")
        if not all(f"\n{word}: " in text for word in ("Takes", "Gives", "Never")):
            missing.append(path.parent.name)

    assert missing == []
