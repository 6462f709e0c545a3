"""Following the deployment log: what is in production answers, without a restart and without losing a request."""

import asyncio
import dataclasses
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from modelyard.core import Actor, ModelyardError
from modelyard.serving.endpoint import ActiveModel, Endpoint, activate

if TYPE_CHECKING:
    from modelyard.store import Workspace

__all__ = ["Deployed", "Deployments", "Follower", "RegistryDeployments"]

_logger = logging.getLogger("modelyard.serving")

_KEPT_LOADED = 2
"""Models that stay loaded beside the one that answers, so that a rollback need not wait for one."""


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What is in production.

    Parameters
    ----------
    digest
        Of the package.
    folder
        Where it lies.
    """

    digest: str
    folder: Path


class Deployments(Protocol):
    """Says what is in production, and hears which model answers. Called from a thread, several times a second."""

    def current(self) -> Deployed | None:
        """What is in production; None if nothing is.

        Raises
        ------
        ModelyardError
            If it cannot be told at the moment.
        """

    def answers(self, model: ActiveModel, before: ActiveModel) -> None:
        """A model has taken the place of another."""


class RegistryDeployments:
    """The deployment log of a project's registry; every change of the model that answers is a row in the ledger.

    Parameters
    ----------
    workspace
        The project's state, with packages and ledger.
    name
        The model's in the registry.
    actor
        Who serves.
    """

    def __init__(self, workspace: "Workspace", name: str, actor: Actor) -> None:
        from modelyard.governance import Registry

        self._registry = Registry(workspace)
        self._ledger = workspace.ledger
        self._watch = workspace.ledger.watch()
        self._packages = workspace.folder("packages")
        self._name = name
        self._actor = actor
        self._is_stale = True
        self._found: Deployed | None = None

    def current(self) -> Deployed | None:
        """The version of the latest deployment; asked anew only when something was committed."""
        self._is_stale |= self._watch.has_changed()
        if self._is_stale:
            version = self._registry.production(self._name)
            self._found = None if version is None else Deployed(version.digest, self._packages / version.folder)
            self._is_stale = False
        return self._found

    def answers(self, model: ActiveModel, before: ActiveModel) -> None:
        """A row in the ledger."""
        details = {"digest": model.digest, "before": before.version}
        self._ledger.append(self._actor, "serving.swapped", f"{model.name}/{model.version}", details)


class Follower:
    """Looks what is in production and lets it answer.

    A package is loaded, verified by its digests and its golden rows, and only then takes over, by one assignment;
    requests that began with the other model end with it. One that cannot be used is told to the process's log once,
    and the model before goes on answering. The last models stay loaded, so a rollback takes as long as a look.

    Parameters
    ----------
    endpoint
        Whose model is replaced.
    deployments
        What is in production.
    on_swap
        Hears of the new model, on the event loop, before it takes over.
    also
        Fields of requests that are logged although models do not know them.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deployments: Deployments,
        *,
        on_swap: Callable[[ActiveModel], None],
        also: Sequence[str] = (),
    ) -> None:
        self._endpoint = endpoint
        self._deployments = deployments
        self._on_swap = on_swap
        self._also = also
        self._loaded: OrderedDict[str, ActiveModel] = OrderedDict()
        self._refused = ""
        self._is_blind = False

    async def look(self) -> bool:
        """Look once; True if another model answers now."""
        deployed = await self._current()
        if deployed is None or deployed.digest in (self._endpoint.active.digest, self._refused):
            return False
        model = await self._usable(deployed)
        if model is None:
            return False
        before = self._endpoint.active
        self._on_swap(model)
        self._endpoint.active = model
        self._refused = ""
        self.keep(before)
        await self._tell(model, before)
        return True

    async def _current(self) -> Deployed | None:
        """What is in production; None also while it cannot be told, which is said once."""
        try:
            found = await asyncio.to_thread(self._deployments.current)
        except ModelyardError as error:
            if not self._is_blind:
                _logger.warning("the deployment log cannot be read, so nothing is swapped", extra={"why": str(error)})
            self._is_blind = True
            return None
        self._is_blind = False
        return found

    async def _usable(self, deployed: Deployed) -> ActiveModel | None:
        """The model, verified; None if it cannot be used, which is remembered until another one is deployed."""
        kept = self._loaded.pop(deployed.digest, None)
        if kept is not None:
            return kept
        try:
            model = await asyncio.to_thread(activate, deployed.folder, self._also)
        except ModelyardError as error:
            self._refuse(deployed, error.sentence)
            return None
        if model.digest != deployed.digest:
            self._refuse(deployed, "the folder holds another package than the one that was deployed")
            return None
        if not model.is_verified:
            self._refuse(deployed, "it does not reproduce its golden rows")
            return None
        return model

    def _refuse(self, deployed: Deployed, why: str) -> None:
        self._refused = deployed.digest
        extra = {"digest": deployed.digest, "why": why, "answering": self._endpoint.active.version}
        _logger.error("the deployed package cannot be used, so the one before goes on answering", extra=extra)

    def keep(self, model: ActiveModel) -> None:
        """Keep a model loaded, and let go of the one that was not needed for longest."""
        self._loaded[model.digest] = model
        while len(self._loaded) > _KEPT_LOADED:
            self._loaded.popitem(last=False)

    async def _tell(self, model: ActiveModel, before: ActiveModel) -> None:
        try:
            await asyncio.to_thread(self._deployments.answers, model, before)
        except ModelyardError as error:
            _logger.warning("the swap could not be recorded", extra={"version": model.version, "why": error.sentence})
