"""What people agree and decide about a project's rows: the contract, and corrections of single rows."""

from collections.abc import Callable
from pathlib import Path

from modelyard import data as data_room
from modelyard import governance, store
from modelyard.core import Actor, DataError, StateError
from modelyard.problem import Problem

__all__ = ["Curation"]


class Curation:
    """The verbs of a project that are about its rows; ``project.curation``.

    Parameters
    ----------
    problem, workspace, actor
        The project's.
    divide
        Gives the resolved problem and the current split; both are made on first use.
    """

    def __init__(
        self,
        problem: Problem,
        workspace: store.Workspace,
        actor: Actor,
        divide: Callable[[], tuple[Problem, data_room.Split]],
    ) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor
        self._divide = divide

    def contract(self, version: int | None = None) -> data_room.Contract:
        """What is expected of every feature, learnt or declared.

        Parameters
        ----------
        version
            Whose contract; by default the one that a package built now would hold.

        Raises
        ------
        StateError
            If there is no such version, or the data were never divided.
        ConfigError
            If the project file declares what a column cannot have.
        """
        if version is not None:
            registry = governance.Registry(self._workspace)
            package = registry.package(registry.version(self._problem.name, version))
            return data_room.Contract.from_dict(package.read_json("contract.json"))
        split = self._split()
        roles = data_room.assign_roles(self._problem, split.train.schema)
        return data_room.derive_contract(split.development, roles, self._problem.data)

    def check_table(
        self, source: Path | str, *, query: str | None = None, version: int | None = None
    ) -> data_room.ContractCheck:
        """Hold a table against the contract, without scoring it; a table without rows is held against it as well.

        Parameters
        ----------
        source
            A path or an address.
        query
            What is asked of a database.
        version
            As for :meth:`contract`.

        Raises
        ------
        DataError
            If the table cannot be read.
        StateError, ConfigError
            As for :meth:`contract`.
        """
        contract = self.contract(version)
        frame = data_room.read_source(source, query=query, may_be_empty=True).frame
        frame = data_room.with_history(frame, self._problem, self._workspace.root)
        return data_room.check_table(contract, frame, str(source))

    def correct(self, sheet: Path | str, reason: str) -> data_room.Correction:
        """Read a reviewed sheet of the audit and apply what it decides to training and validation rows.

        The sealed part is not touched: a line about a sealed row is counted as not applied. A sheet that is in force
        already changes nothing.

        Parameters
        ----------
        sheet
            ``label_suspects.csv`` or ``outliers.csv`` with somebody's word in the last column.
        reason
            Goes to the ledger, the audit and the model card.

        Raises
        ------
        DataError
            If it is no such sheet, decides what cannot be, none of its lines fits a readable row, or one class only
            would be left; nothing is in force then.
        ConfigError
            If there is no reason.
        NotPermittedError
            If the actor may not correct.
        """
        governance.require_permission(self._actor, "correct")
        with self._workspace.lock():
            problem, split = self._divide()
            found = data_room.record_correction(Path(sheet), reason, split, problem, self._workspace, self._actor)
            try:
                self._renew(problem, split)
            except DataError:
                why = "it could not be applied"
                data_room.undo_correction(found.id, why, self._workspace, self._actor)
                raise
        return found

    def undo(self, correction: str, reason: str) -> data_room.Correction:
        """Take a correction back; the rows are as they came, and the record and its ledger row stay.

        Raises
        ------
        StateError
            If no correction of this id is in force.
        ConfigError
            If there is no reason.
        NotPermittedError
            If the actor may not correct.
        """
        governance.require_permission(self._actor, "correct")
        with self._workspace.lock():
            found = data_room.undo_correction(correction, reason, self._workspace, self._actor)
            self._divide()
        return found

    def corrections(self) -> tuple[data_room.Correction, ...]:
        """The corrections in force, in the order in which they apply."""
        return data_room.corrections_in_force(self._workspace)

    def _renew(self, problem: Problem, split: data_room.Split) -> None:
        """Let the project point to the split that follows the corrections in force."""
        base = data_room.load_split(split.record.base or split.record.id, self._workspace)
        current = data_room.corrected_split(base, problem, self._workspace, self._actor)
        self._workspace.point("split", current.record.id)

    def _split(self) -> data_room.Split:
        """The newest split."""
        split = self._workspace.pointer("split")
        if split is None:
            raise StateError("there is no split yet", where=str(self._workspace.root), cure="Run: modelyard check")
        return data_room.load_split(split, self._workspace)
