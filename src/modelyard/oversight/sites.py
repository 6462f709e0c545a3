"""Projects as one finds them below folders, opened to be looked at; nothing is written."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelyard.core import ConfigError
from modelyard.governance import ModelVersion, Registry
from modelyard.problem import PROJECT_FILE, Problem, load_problem
from modelyard.store import Workspace

__all__ = ["Site", "find_projects", "open_site"]

_DEPTHS = ("*", "*/*", "*/*/*")


@dataclasses.dataclass(frozen=True)
class Site:
    """One project.

    Parameters
    ----------
    root
        Its folder.
    problem
        What its file says.
    workspace
        Its state.
    """

    root: Path
    problem: Problem
    workspace: Workspace

    @property
    def registry(self) -> Registry | None:
        """Its registry; None if nothing was ever stored."""
        return Registry(self.workspace) if (self.workspace.state / "ledger.db").exists() else None

    def versions(self) -> tuple[ModelVersion, ...]:
        """Its model's versions, oldest first."""
        registry = self.registry
        return () if registry is None else registry.versions(self.problem.name)

    def current(self) -> ModelVersion | None:
        """The version in production, else the newest; None if there is none."""
        registry, known = self.registry, self.versions()
        if registry is None or not known:
            return None
        return registry.production(self.problem.name) or known[-1]


def find_projects(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Folders with a project file: those that are named, or else those up to three folders below.

    Raises
    ------
    ConfigError
        If there is none at or below one of the paths.
    """
    return tuple(dict.fromkeys(root for path in paths for root in _below(path)))


def open_site(root: Path, env: str | None = None) -> Site:
    """The project in a folder.

    Parameters
    ----------
    env
        Overlay, for projects that have one of this name.

    Raises
    ------
    ConfigError
        If its file cannot be read.
    """
    overlay = root / f"modelyard.{env}.yaml"
    return Site(root, load_problem(root, env=env if env and overlay.is_file() else None).problem, Workspace(root))


def _below(path: Path) -> Iterator[Path]:
    if (path / PROJECT_FILE).is_file():
        yield path
        return
    found = sorted(file.parent for depth in _DEPTHS for file in path.glob(f"{depth}/{PROJECT_FILE}"))
    if not found:
        raise ConfigError(
            "there is no project here, nor up to three folders below",
            where=str(path),
            cure="Name a folder with a modelyard.yaml, or one that holds such folders",
        )
    yield from found
