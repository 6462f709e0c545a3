"""The inventory: one line for each model, and why nobody seems to look after it."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelyard.core import ModelyardError, Record
from modelyard.governance import Deployment, ModelVersion, Registry
from modelyard.governance.identity import is_same_person
from modelyard.governance.standing import alerts_since
from modelyard.oversight.sites import Site, find_projects, open_site
from modelyard.oversight.traffic import last_request

__all__ = ["QUIET_DAYS", "InventoryEntry", "entry_of", "take_inventory"]

QUIET_DAYS = 90
"""After so many days without a request a model in production may be one that nobody needs."""


@dataclasses.dataclass(frozen=True)
class InventoryEntry(Record):
    """One model.

    Parameters
    ----------
    project
        Its folder.
    name, owner, contact, team, purpose
        As its project file says.
    tier, rationale
        What is at stake, and why.
    status
        ``in production``, ``on its way``, ``approved``, ``waits for approval``, ``not released``, or ``unreadable``.
    version, stage
        The version in production, else the newest; None if there is none.
    deployed_at, deployed_by
        Since when, and by whom, that version is in production.
    last_review, review_due
        When somebody last approved, validated or reviewed it, and when the next is due; None if never.
    last_request
        When it last gave a logged answer; None if never.
    open_alerts
        How many are open; None if nothing watches.
    broken_glass
        Promotions past the gates that nobody has reviewed.
    personal
        Protected columns, and columns that the log hashes or drops: names only.
    upstream, consumers
        As declared.
    orphan
        Why nobody seems to look after it; empty if somebody does.
    """

    project: str
    name: str
    status: str
    owner: str = ""
    contact: str = ""
    team: str = ""
    purpose: str = ""
    tier: str = ""
    rationale: str = ""
    version: int | None = None
    stage: str | None = None
    deployed_at: dt.datetime | None = None
    deployed_by: str = ""
    last_review: dt.datetime | None = None
    review_due: dt.datetime | None = None
    last_request: dt.datetime | None = None
    open_alerts: int | None = None
    broken_glass: int = 0
    personal: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    orphan: tuple[str, ...] = ()


def take_inventory(
    paths: Sequence[Path], now: dt.datetime, *, left: Sequence[str] = (), env: str | None = None
) -> tuple[InventoryEntry, ...]:
    """Every project at or below the paths; one that cannot be read is an entry that says so.

    Parameters
    ----------
    left
        Names of people who are not there any more.
    env
        Overlay, for projects that have one of this name.

    Raises
    ------
    ConfigError
        If there is no project at or below one of the paths.
    """
    return tuple(_entry(root, now, left, env) for root in find_projects(paths))


def _entry(root: Path, now: dt.datetime, left: Sequence[str], env: str | None) -> InventoryEntry:
    try:
        return entry_of(open_site(root, env), now, left)
    except ModelyardError as error:
        return InventoryEntry(str(root), root.resolve().name, "unreadable", orphan=(error.sentence,))


def entry_of(site: Site, now: dt.datetime, left: Sequence[str] = ()) -> InventoryEntry:
    """What project file, registry and log say together."""
    problem = site.problem
    entry = InventoryEntry(
        project=str(site.root),
        name=problem.name,
        status="not released",
        owner=problem.owner,
        contact=problem.contact,
        team=problem.team,
        purpose=problem.objective,
        tier=problem.policy.tier,
        rationale=problem.policy.rationale,
        last_request=last_request(site.workspace.folder("predictions")),
        personal=tuple(dict.fromkeys((*problem.protected, *problem.log.personal))),
        upstream=tuple(item.name for item in problem.dependencies.upstream),
        consumers=tuple(item.name for item in problem.dependencies.consumers),
    )
    registry, version = site.registry, site.current()
    if registry is not None and version is not None:
        entry = _released(entry, site, registry, version)
    return dataclasses.replace(entry, orphan=tuple(_reasons(entry, site, now, left)))


def _released(entry: InventoryEntry, site: Site, registry: Registry, version: ModelVersion) -> InventoryEntry:
    """The same with what the registry knows of the version."""
    in_production = registry.production(version.name)
    deployed = _deployment(registry, version) if in_production == version else None
    reviewed, days = _last_review(registry, version), site.problem.policy.rules.review_days
    with site.workspace.ledger.reading() as connection:
        alerts = alerts_since(connection, version.name)
    words = {
        "shadow": "on its way",
        "canary": "on its way",
        "production": "in production",
        "candidate": "waits for approval",
    }
    return dataclasses.replace(
        entry,
        status=words.get(version.stage.value, version.stage.value),
        version=version.version,
        stage=version.stage.value,
        deployed_at=deployed.at if deployed else None,
        deployed_by=deployed.actor if deployed else "",
        last_review=reviewed,
        review_due=reviewed + dt.timedelta(days=days) if reviewed and days is not None else None,
        open_alerts=alerts,
        broken_glass=sum(item.is_open for item in registry.broken_glass(version.name)),
    )


def _deployment(registry: Registry, version: ModelVersion) -> Deployment:
    """The step that put the version where it is."""
    return registry.deployments(version.name)[-1]


def _last_review(registry: Registry, version: ModelVersion) -> dt.datetime | None:
    """When somebody last said yes to these bytes, or looked at how they came into production."""
    moments = [item.at for item in registry.approvals(version.name, version.version) if item.digest == version.digest]
    moments += [item.at for item in registry.validations(version.name, version.version)]
    broken = [item for item in registry.broken_glass(version.name) if item.subject == version.subject]
    moments += [item.reviewed_at for item in broken if item.reviewed_at is not None]
    return max(moments, default=None)


def _reasons(entry: InventoryEntry, site: Site, now: dt.datetime, left: Sequence[str]) -> Iterator[str]:
    """Why nobody seems to look after the model."""
    if not entry.owner.strip():
        yield "no owner is named"
    elif any(is_same_person(entry.owner, name) for name in left):
        yield f"its owner {entry.owner} has left"
    if entry.deployed_at is None:
        return
    if not _has_card(site):
        yield "its card cannot be read"
    quiet_since = max(entry.deployed_at, entry.last_request or entry.deployed_at)
    if now - quiet_since > dt.timedelta(days=QUIET_DAYS):
        yield f"no request since {quiet_since:%Y-%m-%d}"
    if entry.last_review is None and site.problem.policy.rules.review_days is not None:
        yield "nobody has ever reviewed it"
    elif entry.review_due is not None and entry.review_due < now:
        yield f"its last review is of {entry.last_review:%Y-%m-%d}, the next was due on {entry.review_due:%Y-%m-%d}"
    if entry.broken_glass:
        yield "it went past the gates, and nobody has reviewed that"


def _has_card(site: Site) -> bool:
    """Whether the card of the version in production is there, byte for byte."""
    registry, version = site.registry, site.current()
    if registry is None or version is None:
        return False
    try:
        return bool(registry.package(version).read_json("card.json"))
    except ModelyardError:
        return False
