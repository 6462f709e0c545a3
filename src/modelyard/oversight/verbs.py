"""What is done about versions beside releasing them: gates are shown, validations given, broken glass reviewed, changes told, records kept."""

from pathlib import Path
from typing import TYPE_CHECKING

from modelyard import governance, store
from modelyard.core import Actor, Finding, StateError, system_clock
from modelyard.problem import Problem

if TYPE_CHECKING:
    from modelyard.governance import BrokenGlass, GateDecision, Staging, Validation
    from modelyard.oversight.changes import VersionChanges
    from modelyard.oversight.erasure import Erasure
    from modelyard.oversight.lineage.books import Books
    from modelyard.oversight.lineage.openlineage import Sent
    from modelyard.oversight.lineage.records import PredictionTrace, VersionLineage
    from modelyard.oversight.lineage.steps import Step
    from modelyard.oversight.mirroring import Catalogue, Mirrored
    from modelyard.oversight.records_export import RecordsExport

__all__ = ["Oversight"]


class Oversight:
    """The verbs of a project by which people see to its versions; ``project.oversight``.

    Parameters
    ----------
    problem, workspace, actor
        The project's.
    """

    def __init__(self, problem: Problem, workspace: store.Workspace, actor: Actor) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor

    def gates(self, version: int | None = None, *, step: str = "promote") -> "GateDecision":
        """What the gates of the policy's tier would say of a version now, the newest by default; nothing is written.

        Parameters
        ----------
        step
            ``approve``, ``stage`` or ``promote``; the second asks for approvals too, the third for staging as well.

        Raises
        ------
        StateError, IntegrityError
            If there is no such version, or its package's bytes have changed.
        """
        number = self._newest() if version is None else version
        return self._registry.gates(self._problem.name, number, self._problem.policy, step)

    def validate(self, version: int, reason: str, *, holds: bool = True) -> "Validation":
        """Say, as a validator, whether a version may be used as it is meant.

        Raises
        ------
        NotPermittedError
            If the actor is no validator, or made the version.
        StateError, IntegrityError
            If there is no such version or no reason; its package's bytes have changed.
        """
        policy = self._problem.policy
        return self._registry.validate(self._problem.name, version, self._actor, reason, policy, holds=holds)

    def stage(self, version: int) -> "Staging":
        """Try an approved version in staging: a server of its own, on an address of its own, answers every golden row.

        Parameters
        ----------
        version
            Its number. Requests that others send still go where they went.

        Returns
        -------
        Staging
            What was found; it is a row of the ledger too.

        Raises
        ------
        NotPermittedError, GateRefusedError, WaitingForApprovalError
            If the actor may not promote, a gate says no, approvals are missing; or the trial failed, which is written down.
        StateError, IntegrityError
            If the version's stage does not allow it; its bytes are not those that were registered.
        """
        from modelyard.shipping.staging import try_in_staging

        area = governance.StagingArea(self._workspace, self._problem.name)
        return try_in_staging(area, version, self._actor, self._problem.policy)

    def review_broken_glass(self, version: int, reason: str) -> "BrokenGlass":
        """Review a promotion that went past the gates.

        Raises
        ------
        NotPermittedError
            If the actor may not review, or did it.
        StateError
            If there is nothing to review, or no reason.
        """
        policy = self._problem.policy
        return self._registry.review_broken_glass(self._problem.name, version, self._actor, reason, policy)

    def changes(self, before: int | None = None, after: int | None = None) -> "VersionChanges":
        """What differs between two versions; by default between the one in production and the newest.

        Raises
        ------
        StateError, IntegrityError
            If there are no such versions, or a package's bytes have changed.
        ConfigError
            If a version is compared with itself.
        """
        from modelyard.oversight.changes import changes_between, versions_meant

        pair = versions_meant(self._registry, self._problem.name, before, after)
        return changes_between(self._workspace, self._problem, *pair)

    def export_records(self, folder: Path | str) -> "RecordsExport":
        """Write everything that is recorded about the model into a new folder, without rows of persons.

        Raises
        ------
        ConfigError
            If the folder holds something already.
        IntegrityError
            If a package's bytes have changed.
        """
        from modelyard.oversight.records_export import export_records

        return export_records(self._problem, self._workspace, Path(folder), system_clock())

    def erase(self, key: str, value: str, reason: str) -> "Erasure":
        """Remove the rows of one subject from the prediction log, its labels and its copy; the ledger names them by a code.

        Parameters
        ----------
        key, value
            A column and its value, or ``id`` and the id of one prediction.
        reason
            Such as the number of the request; it must not name the subject.

        Raises
        ------
        NotPermittedError
            If the actor may not erase.
        ConfigError
            If there is no subject, or no reason that may stay.
        """
        from modelyard.oversight.erasure import erase

        return erase(self._problem, self._workspace, self._actor, key, value, reason)

    def lineage(self, version: int | None = None) -> "VersionLineage":
        """What a version came from and what came of it; by default the one in production, else the newest.

        Raises
        ------
        StateError
            If there is no such version.
        IntegrityError
            If a record is damaged; changed bytes of the package are told, not raised.
        """
        from modelyard.oversight.lineage.ancestry import lineage_of

        books, steps = self._steps()
        name = self._problem.name
        live = self._registry.production(name) if version is None else None
        number = live.version if live else self._newest() if version is None else version
        return lineage_of(books, steps, self._registry.version(name, number))

    def trace(self, prediction: str) -> "PredictionTrace":
        """Follow a logged prediction back: the version, its bytes, its data, its approvals; and score its row once more.

        Parameters
        ----------
        prediction
            The id with which it was answered.

        Raises
        ------
        StateError
            If the log has none of that id: it was erased, is older than the log is kept, or was never made.
        IntegrityError
            If a record on the way is damaged; changed bytes of the package are told, not raised.
        """
        from modelyard.oversight.lineage.books import Books
        from modelyard.oversight.lineage.trace import trace_prediction

        return trace_prediction(Books(self._workspace, self._problem), prediction)

    def openlineage(self, *, file: Path | str | None = None, to: str | None = None) -> "tuple[Sent, ...]":
        """Tell the model's whole lineage as run events of OpenLineage; a repeated export is the same.

        Parameters
        ----------
        file
            A file of JSON lines.
        to
            Address of a receiver, such as Marquez; its key stands in the variable ``OPENLINEAGE_API_KEY``.

        Raises
        ------
        ConfigError
            If the address is none, or the receiver refuses an event.
        IntegrityError
            If a record is damaged.
        ModelyardError
            If the file cannot be written, or the receiver cannot be reached.
        """
        from modelyard.oversight.lineage.openlineage import post_events, run_events, write_events

        books, steps = self._steps()
        events = list(run_events(books, steps))
        written = () if file is None else (write_events(events, Path(file)),)
        return written if to is None else (*written, post_events(events, to))

    def mirror(self, catalogue: "Catalogue", *, check: bool = False) -> "Mirrored":
        """Have a catalogue such as MLflow's show versions, stages and approvals; say what was changed there by hand.

        Parameters
        ----------
        catalogue
            Where; see :func:`modelyard.adapters.mlflow_registry.catalogue_of`.
        check
            Look only.

        Raises
        ------
        NotPermittedError
            If something is to be written and the actor may not export.
        IntegrityError
            If a package is not the one that was registered.
        ModelyardError
            If the catalogue cannot be reached.
        """
        from modelyard.oversight.mirroring import mirror

        return mirror(self._problem, self._workspace, self._actor, catalogue, check=check)

    def findings(self) -> tuple[Finding, ...]:
        """What must not be overlooked: promotions past the gates that nobody has reviewed."""
        return governance.glass_findings(self._registry.broken_glass(self._problem.name), system_clock())

    def _newest(self) -> int:
        """The newest version's number."""
        known = self._registry.versions(self._problem.name)
        if not known:
            raise StateError("there is no version yet", where=self._problem.name, cure="Run: modelyard register")
        return known[-1].version

    def _steps(self) -> "tuple[Books, tuple[Step, ...]]":
        """The project's books, and the steps that they tell."""
        from modelyard.oversight.lineage.books import Books
        from modelyard.oversight.lineage.reading import read_steps

        books = Books(self._workspace, self._problem)
        return books, read_steps(books)

    @property
    def _registry(self) -> governance.Registry:
        return governance.Registry(self._workspace)
