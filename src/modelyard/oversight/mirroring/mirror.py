"""The mirror: compared with the ledger, and mended where it differs."""

from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.core import Actor
from modelyard.governance import Registry, require_permission
from modelyard.oversight.mirroring.protocol import ALIASES, Catalogue
from modelyard.oversight.mirroring.records import Difference, Mirrored, Shown, ShownVersion
from modelyard.oversight.mirroring.wanted import wanted
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["MIRRORED", "mirror"]

MIRRORED = "mirror.written"

_Facts = Mapping[str, str]


def mirror(
    problem: Problem, workspace: Workspace, actor: Actor, catalogue: Catalogue, *, check: bool = False
) -> Mirrored:
    """Have a catalogue show what the registry has; a second run finds nothing to do.

    The ledger keeps what was left there, so that whatever differs from that later was changed by somebody else.

    Parameters
    ----------
    check
        Look only, and write nothing anywhere.

    Raises
    ------
    NotPermittedError
        If something is to be written and the actor may not export.
    IntegrityError
        If a package that should be shown is not the one that was registered.
    ModelyardError
        If the catalogue cannot be reached.
    """
    if not check:
        require_permission(actor, "export")
    registry = Registry(workspace)
    should, there = wanted(registry, problem), catalogue.read(problem.name)
    left = _left(workspace, problem.name, catalogue.where)
    differences = tuple(_differences(problem.name, should, there, left))
    if differences and not check:
        with workspace.lock():
            _mend(registry, problem.name, catalogue, should, there)
            details = {
                "where": catalogue.where,
                "differences": [item.to_dict() for item in differences],
                "left": dict(_facts(problem.name, should)),
            }
            workspace.ledger.append(actor, MIRRORED, problem.name, details)
    return Mirrored(catalogue.where, differences, written=not check, versions=len(should.versions))


def _left(workspace: Workspace, name: str, where: str) -> _Facts:
    """What was last left there, as the ledger tells it; nothing if nothing ever was."""
    rows = [row for row in workspace.ledger.rows(action=MIRRORED, subject=name) if row.details["where"] == where]
    found: dict[str, Any] = rows[-1].details["left"] if rows else {}
    return found


def _facts(name: str, shown: Shown) -> Iterator[tuple[str, str]]:
    """Everything that is shown, each under a name for people."""
    for number, version in sorted(shown.versions.items()):
        yield f"{name}/{number}: package", version.digest
        yield f"{name}/{number}: description", version.description
        yield from ((f"{name}/{number}: tag {tag}", value) for tag, value in sorted(version.tags.items()))
    for alias in ALIASES:
        if alias in shown.aliases:
            yield f"alias {alias}", shown.aliases[alias] or "a version that is not ours"


def _differences(name: str, should: Shown, there: Shown, left: _Facts) -> Iterator[Difference]:
    wants, has = dict(_facts(name, should)), dict(_facts(name, there))
    for what in dict.fromkeys((*wants, *has)):
        wanted_, found = wants.get(what, ""), has.get(what, "")
        if wanted_ != found:
            yield Difference(what, wanted_, found, by_hand=bool(left) and found != left.get(what, ""))


def _mend(registry: Registry, name: str, catalogue: Catalogue, should: Shown, there: Shown) -> None:
    for number, version in should.versions.items():
        before = there.versions.get(number)
        if before is None or not _same(version, before):
            package = registry.package(registry.version(name, int(number)))
            catalogue.put(name, number, version, package.folder, before)
    replaced = {number for number, version in should.versions.items() if _moves(version, there.versions.get(number))}
    for alias in ALIASES:
        number = should.aliases.get(alias, "")
        if number != there.aliases.get(alias, "") or (alias in there.aliases and number in replaced):
            catalogue.point(name, alias, number)


def _same(version: ShownVersion, before: ShownVersion) -> bool:
    return (version.tags, version.description, version.digest) == (before.tags, before.description, before.digest)


def _moves(version: ShownVersion, before: ShownVersion | None) -> bool:
    """True if the version gets another place in the catalogue."""
    return before is None or before.digest != version.digest
