"""The board against Grafana's schema, as its own library of types has it: no field that is unknown, no value of another type."""

import enum
import json
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from modelyard.monitoring.exporting import board
from modelyard.problem import Problem

MADE_BY_GRAFANA = "grafana_foundation_sdk"
OF_PROMETHEUS = "board.annotations.list[0].titleFormat"
"""Read by the plugin of Prometheus; the types of annotations know no field of a plugin."""


@pytest.fixture(autouse=True)
def plugins() -> None:
    """Panels and queries of Grafana's own plugins are read by their own types."""
    register_default_plugins()


def test_grafana_knows_every_field_and_its_type(problem: Problem) -> None:
    """Read by the types of Grafana 12 and written again, nothing of the board is lost, and every value fits its type."""
    made = board(problem)
    read = Dashboard.from_json(made)

    assert list(_lost(made, json.loads(json.dumps(read, cls=JSONEncoder)))) == [OF_PROMETHEUS]
    assert list(_misfits(read, Dashboard)) == []


def test_what_grafana_does_not_know_is_found(problem: Problem) -> None:
    """A misspelt field is lost, and a text where a number belongs does not fit."""
    made = board(problem)
    (panel, *_) = [panel for panel in made["panels"] if panel["type"] == "stat"]
    panel["fieldConfig"]["defaults"]["unity"] = "percent"
    panel["targets"][0]["exprr"] = "up"
    panel["gridPos"]["w"] = "wide"
    panel["options"]["colorMode"] = 3
    read = Dashboard.from_json(made)

    assert {path.rpartition(".")[2] for path in _lost(made, json.loads(json.dumps(read, cls=JSONEncoder)))} == {
        "unity",
        "exprr",
        "titleFormat",
    }
    assert {path.rpartition(".")[2] for path in _misfits(read, Dashboard)} == {"w", "color_mode"}


def _lost(wanted: Any, got: Any, path: str = "board") -> Iterator[str]:
    """Where ``got`` does not say what ``wanted`` says; it may say more, such as defaults."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            yield from _lost(value, got[key], f"{path}.{key}") if key in got else [f"{path}.{key}"]
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for place, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from _lost(one, other, f"{path}[{place}]")
    elif wanted != got:
        yield path


def _misfits(value: Any, hint: Any, path: str = "board") -> Iterator[str]:
    """Where a value is not of the type that Grafana declares."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        tried = [list(_misfits(value, one, path)) for one in inner]
        if all(tried):
            yield from max(tried, key=lambda found: len(found[0]))  # the alternative that went deepest was meant
    elif not _fits(value, hint):
        yield path
    elif origin is list:
        for place, one in enumerate(value):
            yield from _misfits(one, inner[0], f"{path}[{place}]")
    elif origin is dict:
        for key, one in value.items():
            yield from _misfits(one, inner[1], f"{path}.{key}")
    elif type(value).__module__.startswith(MADE_BY_GRAFANA) and not isinstance(value, enum.Enum):
        for name, declared in typing.get_type_hints(type(value)).items():
            yield from _misfits(getattr(value, name), declared, f"{path}.{name}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value itself, without what it holds, is of a type."""
    if hint is Any or isinstance(hint, typing.TypeVar):
        return True
    if typing.get_origin(hint) is Literal:
        return value in typing.get_args(hint)
    kind = typing.get_origin(hint) or hint
    if issubclass(kind, enum.Enum):
        return value in {one.value for one in kind}
    if kind in (int, float):
        return isinstance(value, int | kind) and not isinstance(value, bool)
    return isinstance(value, kind)
