"""What a project agrees on about its rows: the contract, shown and held against tables."""

from pathlib import Path

from modelyard import data as data_room
from modelyard import governance, store
from modelyard.core import Actor, StateError
from modelyard.problem import Problem

__all__ = ["Curation"]


class Curation:
    """The verbs of a project that are about its rows; ``project.curation``.

    Parameters
    ----------
    problem, workspace, actor
        The project's.
    """

    def __init__(self, problem: Problem, workspace: store.Workspace, actor: Actor) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor

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
        frame = data_room.with_events(frame, self._problem, self._workspace.root)
        return data_room.check_table(contract, frame, str(source))

    def _split(self) -> data_room.Split:
        """The newest split."""
        split = self._workspace.pointer("split")
        if split is None:
            raise StateError("there is no split yet", where=str(self._workspace.root), cure="Run: modelyard check")
        return data_room.load_split(split, self._workspace)
