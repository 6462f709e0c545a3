"""Where the conductor learns which rollout is under way, and where it writes what it decides."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from modelyard.core import Actor, new_id
from modelyard.rollout import Reading, State

if TYPE_CHECKING:
    from modelyard.governance import RolloutView
    from modelyard.problem import Problem
    from modelyard.problem.schema import Costs
    from modelyard.store import Workspace

__all__ = ["RegistryRollouts", "RolloutSource"]


class RolloutSource(Protocol):
    """A rollout and its steering. Called from threads, one call at a time; all may raise ``ModelyardError``."""

    @property
    def costs(self) -> "Costs":
        """What decisions are worth, for figures in money."""

    @property
    def broken_glass(self) -> int:
        """Promotions past the gates that nobody has reviewed, as they were when :meth:`current` was last asked."""

    def current(self) -> "RolloutView | None":
        """The rollout under way."""

    def package(self, view: "RolloutView") -> Path:
        """The folder of the version's package."""

    def lead(self, view: "RolloutView", progress: State) -> State | None:
        """Take or keep the lease, and note the progress; from where to go on, None if another process drives."""

    def change(self, view: "RolloutView", state: State, readings: Sequence[Reading]) -> bool:
        """Enter the next state; False if somebody else changed the rollout meanwhile."""

    def complete(self) -> None:
        """Put the version into production."""


class RegistryRollouts:
    """The rollouts of a project's registry.

    Parameters
    ----------
    workspace
        The project's state.
    problem
        The project's; its policy and owner are asked once more when a version comes into production.
    actor
        Who serves, and in whose name the server decides.
    """

    def __init__(self, workspace: "Workspace", problem: "Problem", actor: Actor) -> None:
        from modelyard.governance import Rollouts

        self._rollouts = Rollouts(workspace, problem.name)
        self._watch = workspace.ledger.watch()
        self._problem = problem
        self._actor = actor
        self._holder = f"{os.getpid()}-{new_id()}"
        self._is_stale = True
        self._found: RolloutView | None = None
        self._broken_glass = 0

    @property
    def costs(self) -> "Costs":
        """As the project file has them."""
        return self._problem.costs

    @property
    def broken_glass(self) -> int:
        """As the ledger tells it."""
        return self._broken_glass

    def current(self) -> "RolloutView | None":
        """The rollout under way; asked anew only when something was committed."""
        self._is_stale |= self._watch.has_changed()
        if self._is_stale:
            self._found = self._rollouts.current()
            self._broken_glass = self._rollouts.broken_glass()
            self._is_stale = False
        return self._found

    def package(self, view: "RolloutView") -> Path:
        """The folder as the registry knows it."""
        return self._rollouts.folder(view.rollout)

    def lead(self, view: "RolloutView", progress: State) -> State | None:
        """By the lease row; looked at before it is written, so that those who follow hold up nobody."""
        is_free = self._rollouts.is_free(view, self._holder)
        return self._rollouts.lead(view, self._holder, progress) if is_free else None

    def change(self, view: "RolloutView", state: State, readings: Sequence[Reading]) -> bool:
        """A row of the rollout, its ledger row and the version's stage."""
        return self._rollouts.change(view, state, self._actor, readings)

    def complete(self) -> None:
        """The pointer swap."""
        self._rollouts.complete(self._actor, self._problem.policy, self._problem.owner)
