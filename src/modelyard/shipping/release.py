"""Which package is shipped: one of the registry's versions, or a folder."""

from modelyard.core import Actor, StateError
from modelyard.governance import Registry, Stage, require_permission
from modelyard.packaging import Package, ScoringPlan
from modelyard.store import Workspace

__all__ = ["note_shipped", "released_package", "require_rows"]

_NEVER = frozenset((Stage.REJECTED, Stage.QUARANTINED))


def released_package(workspace: Workspace, name: str, version: int | None, actor: Actor) -> Package:
    """The verified package of a version; of the one in production if none is named.

    Raises
    ------
    StateError
        If there is no such version, none is in production, the version was rejected or put under quarantine, or it tells
        what follows a history.
    IntegrityError
        If its bytes are not those that were registered.
    NotPermittedError
        If the actor may not serve; whoever may put a server up may carry one away.
    """
    require_permission(actor, "serve")
    registry = Registry(workspace)
    chosen = registry.production(name) if version is None else registry.version(name, version)
    if chosen is None:
        raise StateError(
            "no version is in production", where=name, cure="Name a version, or run: modelyard promote VERSION"
        )
    if chosen.stage in _NEVER:
        raise StateError(
            f"a version that is {chosen.stage} is not shipped",
            where=f"{name} {chosen.version}",
            cure="Ship another version",
        )
    return require_rows(registry.package(chosen))


def require_rows(package: Package) -> Package:
    """The package itself, if it answers rows, as a server must.

    Raises
    ------
    StateError
        If it tells what follows a history.
    """
    ScoringPlan.from_dict(package.read_json("plan.json"))
    return package


def note_shipped(workspace: Workspace, actor: Actor, package: Package, form: str, place: str) -> None:
    """Leave a row in the ledger: what left the project, in which form, and where it went.

    Raises
    ------
    NotPermittedError
        If the actor may not serve; whoever may put a server up may carry one away.
    """
    require_permission(actor, "serve")
    manifest = package.manifest
    details = {"form": form, "digest": manifest.digest, "place": place}
    workspace.ledger.append(actor, "version.shipped", f"{manifest.name}/{manifest.version}", details)
