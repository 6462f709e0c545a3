"""The change log of two versions: data, features, method, figures, threshold, groups, code, approvals."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from modelyard.core import ConfigError, ModelyardError, Record, StateError
from modelyard.data import version_record
from modelyard.governance import Approval, Registry
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["Change", "FigureChange", "VersionChanges", "changes_between", "versions_meant"]

_SAME_SIZE = 1e-12


@dataclasses.dataclass(frozen=True)
class Change(Record):
    """One thing that differs.

    Parameters
    ----------
    section
        ``data``, ``features``, ``method``, ``threshold``, ``groups``, ``code``, ``environment`` or ``card``.
    what
        Which.
    before, after
        Its values; None where it was not, or is not any more.
    """

    section: str
    what: str
    before: Any
    after: Any


@dataclasses.dataclass(frozen=True)
class FigureChange(Record):
    """One metric of both versions; each on its own part of the rows, so they are not a paired comparison.

    Parameters
    ----------
    metric
        Its name.
    before, after
        Value, lower and upper end of the interval; None where it was not measured.
    measured_on
        The parts of the rows: ``test`` or ``validation``, of both.
    verdict
        ``better`` or ``worse`` where the intervals do not even overlap, else ``within the intervals``.
    """

    metric: str
    before: tuple[float, float, float] | None
    after: tuple[float, float, float] | None
    measured_on: tuple[str, str]
    verdict: str


@dataclasses.dataclass(frozen=True)
class VersionChanges(Record):
    """Everything that differs between two versions of a model.

    Parameters
    ----------
    name, before, after
        The model, and the two versions.
    created
        When the two were registered.
    digests
        Of their packages.
    changes
        What differs; what does not is not listed.
    figures
        Every metric of either.
    approvals
        Of the later one.
    """

    name: str
    before: int
    after: int
    created: tuple[dt.datetime, dt.datetime]
    digests: tuple[str, str]
    changes: tuple[Change, ...]
    figures: tuple[FigureChange, ...]
    approvals: tuple[Approval, ...]


def versions_meant(registry: Registry, name: str, before: int | None, after: int | None) -> tuple[int, int]:
    """The two versions that are compared: by default the one in production with the newest, else the newest two.

    Raises
    ------
    StateError
        If there are not two versions.
    ConfigError
        If one is compared with itself.
    """
    known = [version.version for version in registry.versions(name)]
    if len(known) < 2:
        raise StateError(
            "there are no two versions to compare", where=name, got=str(len(known)), cure="Release another"
        )
    production = registry.production(name)
    if before is None:
        latest = known[-1] if after is None else after
        before = production.version if production and production.version != latest else known[-2]
    after = known[-1] if after is None else after
    if before == after:
        raise ConfigError("a version does not differ from itself", where=name, got=str(after), cure="Name two versions")
    return before, after


def changes_between(workspace: Workspace, problem: Problem, before: int, after: int) -> VersionChanges:
    """What differs between two versions, told from their verified packages and the ledger.

    Raises
    ------
    StateError, IntegrityError
        If there is no such version, or a package's bytes have changed.
    """
    registry = Registry(workspace)
    old, new = (registry.version(problem.name, number) for number in (before, after))
    cards = [registry.package(version).read_json("card.json") for version in (old, new)]
    contracts = [registry.package(version).read_json("contract.json") for version in (old, new)]
    windows = [_window(card["data"]["dataset_id"], problem, workspace) for card in cards]
    return VersionChanges(
        problem.name,
        before,
        after,
        (old.created_at, new.created_at),
        (old.digest, new.digest),
        (
            *_differences("data", _data(cards[0], contracts[0], windows[0]), _data(cards[1], contracts[1], windows[1])),
            *_differences("features", _features(cards[0]), _features(cards[1])),
            *_differences("method", _method(cards[0]), _method(cards[1])),
            *_differences("threshold", _threshold(cards[0]), _threshold(cards[1])),
            *_differences("groups", _groups(cards[0]), _groups(cards[1])),
            *_differences("code", _code(cards[0]), _code(cards[1])),
            *_differences("environment", cards[0]["environment"], cards[1]["environment"]),
            *_differences("card", _people(cards[0]), _people(cards[1])),
        ),
        tuple(_figures(*cards)),
        registry.approvals(problem.name, after),
    )


def _differences(section: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What differs of two mappings, in the order of the later one, then what is gone."""
    for what in dict.fromkeys((*after, *before)):
        old, new = before.get(what), after.get(what)
        if old != new and not _equal_numbers(old, new):
            yield Change(section, what, old, new)


def _equal_numbers(old: Any, new: Any) -> bool:
    """Numbers that differ by rounding alone."""
    both = isinstance(old, float) and isinstance(new, float)
    return both and abs(old - new) <= _SAME_SIZE * max(1.0, abs(old))


def _data(card: Mapping[str, Any], contract: Mapping[str, Any], window: str | None) -> dict[str, Any]:
    """Where the rows are from, how many, of which time, and the schema."""
    data = card["data"]
    names = ("source", "dataset_id", "train_rows", "validation_rows", "test_rows", "split", "split_id", "collection")
    columns = {f"column {column['name']}": column["kind"] for column in contract["columns"]}
    return {**{name.replace("_", " "): data[name] for name in names}, "window": window, **columns}


def _features(card: Mapping[str, Any]) -> dict[str, Any]:
    """Each feature, and how it is made."""
    return {
        feature: f"{entry['column']}: {entry['transformation']}"
        for entry in card["data"]["features"]
        for feature in entry["features"]
    }


def _method(card: Mapping[str, Any]) -> dict[str, Any]:
    """Family, parameters, seed and folds."""
    method = card["method"]
    names = ("family", "metric", "folds", "fold_strategy", "seed")
    return {name.replace("_", " "): method[name] for name in names} | dict(method["params"])


def _threshold(card: Mapping[str, Any]) -> dict[str, Any]:
    """The threshold and why it is that; the costs."""
    choice = card["performance"]["threshold"]
    costs = {f"cost {name}": value for name, value in card["performance"]["costs"].items()}
    return costs if choice is None else {"threshold": choice["value"], "reason": choice["reason"], **costs}


def _groups(card: Mapping[str, Any]) -> dict[str, Any]:
    """How far groups of protected columns are apart."""
    return {f"{gap['measure']} by {gap['column']}": gap["gap"] for gap in card["performance"]["disparities"]}


def _code(card: Mapping[str, Any]) -> dict[str, Any]:
    """The commit of the project, and the software."""
    identity = card["identity"]
    return {"commit": identity["code_commit"] or None, "modelyard": identity["modelyard_version"]}


def _people(card: Mapping[str, Any]) -> dict[str, Any]:
    """What people declare: who answers for it, what it is for, what it is not for."""
    identity, use = card["identity"], card["use"]
    fields = {**{name: identity[name] for name in ("owner", "contact", "author")}, **use}
    return {
        **fields,
        "not provided": ", ".join(card["not_provided"]) or None,
        "openings of the test part": card["openings_count"],
    }


def _figures(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FigureChange]:
    """The winner's metrics on the part on which each version was measured."""
    parts = [("test" if card["performance"]["test"] else "validation") for card in (old, new)]
    before, after = (_winner(card["performance"][part]) for card, part in zip((old, new), parts, strict=True))
    for metric in dict.fromkeys((*after, *before)):
        first, second = before.get(metric), after.get(metric)
        rises = (second or first or {})["greater_is_better"]
        yield FigureChange(
            metric, _triple(first), _triple(second), (parts[0], parts[1]), _verdict(first, second, rises=rises)
        )


def _winner(systems: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The winner's metrics by name."""
    return {metric["name"]: metric for system in systems if system["name"] == "winner" for metric in system["metrics"]}


def _triple(figure: Mapping[str, Any] | None) -> tuple[float, float, float] | None:
    """Value and interval, where all of them are known."""
    values = [None if figure is None else figure[name] for name in ("value", "low", "high")]
    return None if None in values else (float(values[0] or 0), float(values[1] or 0), float(values[2] or 0))


def _verdict(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None, *, rises: bool) -> str:
    before, after = _triple(first), _triple(second)
    if before is None or after is None:
        return "not comparable"
    if before[1] <= after[2] and after[1] <= before[2]:
        return "within the intervals"
    return "better" if (after[0] > before[0]) is rises else "worse"


def _window(dataset: str, problem: Problem, workspace: Workspace) -> str | None:
    """From when to when the rows of a data version are; None without a time column, or where it is not stored any more."""
    column = problem.data.time
    if column is None:
        return None
    try:
        path = workspace.objects.verified(version_record(dataset, workspace).object_digest)
    except ModelyardError:
        return None
    found = (
        pl.scan_parquet(path).select(pl.col(column).min().alias("low"), pl.col(column).max().alias("high")).collect()
    )
    return f"{found['low'][0]} to {found['high'][0]}"
