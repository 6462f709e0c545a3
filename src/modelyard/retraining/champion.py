"""The champion with all that a retraining needs of it."""

import dataclasses

from modelyard.data import Split, load_split
from modelyard.governance import ModelVersion, Registry
from modelyard.packaging import Scorer
from modelyard.store import Workspace
from modelyard.training.run import StoredRun, load_run

__all__ = ["Champion", "load_champion"]


@dataclasses.dataclass(frozen=True)
class Champion:
    """The version in production, how it scores, what it has learnt from, and its run."""

    version: ModelVersion
    scorer: Scorer
    base: Split
    run: StoredRun


def load_champion(version: ModelVersion, workspace: Workspace) -> Champion:
    """Read what belongs to a version, verified.

    Raises
    ------
    IntegrityError
        If something is not what was stored.
    StateError
        If its run or split does not lie here.
    """
    package = Registry(workspace).package(version)
    manifest = package.manifest
    return Champion(
        version,
        Scorer.load(package),
        load_split(manifest.split_id, workspace),
        load_run(manifest.run_id, workspace),
    )
