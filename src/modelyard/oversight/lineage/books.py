"""The books of a project: its ledger's rows and the records that they point to, each read once."""

import contextlib
import functools
from collections.abc import Mapping

from modelyard.core import IntegrityError, StateError
from modelyard.data import DatasetVersion, SplitFacts, split_facts, version_records
from modelyard.governance import ModelVersion, Registry
from modelyard.packaging import Manifest, Package
from modelyard.packaging.package import read_manifest
from modelyard.problem import Problem
from modelyard.retraining.records import Decision
from modelyard.store import LedgerRow, Workspace, load_record
from modelyard.training.records import TrainingRun

__all__ = ["Books"]


class Books:
    """What is on record of one model.

    Parameters
    ----------
    workspace, problem
        The project's.

    Raises
    ------
    IntegrityError
        From any of its properties, if a record is damaged.
    """

    def __init__(self, workspace: Workspace, problem: Problem) -> None:
        self.workspace = workspace
        self.problem = problem
        self.registry = Registry(workspace)

    @functools.cached_property
    def rows(self) -> tuple[LedgerRow, ...]:
        """The ledger, in order."""
        return self.workspace.ledger.rows()

    @functools.cached_property
    def data(self) -> Mapping[str, DatasetVersion]:
        """Data versions by id, the oldest first."""
        return {record.id: record for record in version_records(self.workspace)}

    @functools.cached_property
    def versions(self) -> tuple[ModelVersion, ...]:
        """The model's versions, the oldest first."""
        return self.registry.versions(self.problem.name)

    @functools.cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """Retrainings by id."""
        home = self.workspace.folder("retraining")
        ids = sorted(path.parent.name for path in home.glob("*/decision.json"))
        read = (load_record(Decision, home / id_, "decision", cure="Restore it from a backup") for id_ in ids)
        return {decision.id: decision for decision in read}

    @functools.cached_property
    def packages(self) -> Mapping[str, Package]:
        """Packages that lie here, by the digest that their manifest tells; their bytes are not verified."""
        found = {}
        for path in sorted(self.workspace.folder("packages").glob("*/manifest.json")):
            with contextlib.suppress(IntegrityError):
                manifest = read_manifest(path.parent)
                found[manifest.digest] = Package(path.parent, manifest)
        return found

    def manifest(self, digest: str) -> Manifest | None:
        """The manifest of a package; None if it does not lie here."""
        package = self.packages.get(digest)
        return package.manifest if package else None

    @functools.cache  # noqa: B019 - books are opened for one question
    def split(self, id_: str) -> SplitFacts | None:
        """What is known of a split; None if it is not here, as with a history that several machines share."""
        try:
            return split_facts(id_, self.workspace)
        except StateError:
            return None

    @functools.cache  # noqa: B019 - as above
    def run(self, id_: str) -> TrainingRun | None:
        """A training run's record; None if it is not here, or is of a task with runs of its own kind."""
        if not self.problem.task.is_supervised:
            return None
        from modelyard.training.run import load_run

        try:
            return load_run(id_, self.workspace).record
        except StateError:
            return None
