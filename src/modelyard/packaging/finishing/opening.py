"""The manifest before it is sealed: who, when and from what; its files are still open."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

from modelyard.packaging.finishing.details import BuildDetails
from modelyard.packaging.manifest import PROTOCOL, Manifest
from modelyard.problem import Problem
from modelyard.version import __version__

__all__ = ["Origin", "open_manifest"]


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a model was made from, by ids."""

    dataset_id: str
    split_id: str
    run_id: str


def open_manifest(
    problem: Problem,
    version: str,
    origin: Origin,
    created_at: dt.datetime,
    *,
    details: BuildDetails | None = None,
    requirements: Mapping[str, str] | None = None,
    skops: tuple[str, ...] = (),
) -> Manifest:
    """The manifest of a package that is being built, or of a scorer that is in none.

    Parameters
    ----------
    problem
        Names the model.
    version
        What the registry will call it; of a scorer in no package, which run it is from.
    details
        Author, commit and position in the ledger; none of a scorer in no package.
    requirements, skops
        Of the manifest.
    """
    details = details or BuildDetails()
    return Manifest(
        protocol=PROTOCOL,
        name=problem.name,
        version=version,
        digest="",
        files={},
        bytes=0,
        created_at=created_at,
        modelyard_version=__version__,
        code_commit=details.code_commit,
        dataset_id=origin.dataset_id,
        split_id=origin.split_id,
        run_id=origin.run_id,
        ledger_position=details.ledger_position,
        requirements=requirements or {},
        author=details.author,
        skops=skops,
    )
