"""From ``modelyard.yaml``, an overlay and ``--set`` values to a frozen problem, with the origin of each value."""

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from modelyard.core import ConfigError
from modelyard.problem.metrics import declare_metrics
from modelyard.problem.schema import Problem
from modelyard.problem.task import Task

__all__ = ["PROJECT_FILE", "LoadedProblem", "json_schema", "load_problem"]

PROJECT_FILE = "modelyard.yaml"

_RENAMED = (("training", "class_weights", "imbalance"),)


@dataclasses.dataclass(frozen=True)
class LoadedProblem:
    """A problem and where each of its values came from.

    Parameters
    ----------
    problem
        The validated problem.
    origins
        Dotted key to origin, for every key that is not a default: the file's name, the overlay's, or ``--set``.
    """

    problem: Problem
    origins: Mapping[str, str]

    def explain(self) -> list[tuple[str, str, str]]:
        """All effective values as (dotted key, value, origin), in the schema's order."""
        flat = _flatten(self.problem.model_dump(mode="json"))
        return [(key, _as_text(value), self._origin(key)) for key, value in flat.items()]

    def _origin(self, key: str) -> str:
        """The origin of ``key`` or of the nearest key above it that was given as a whole."""
        parts = key.split(".")
        for length in range(len(parts), 0, -1):
            origin = self.origins.get(".".join(parts[:length]))
            if origin:
                return origin
        return "default"


def load_problem(root: Path, *, env: str | None = None, settings: Sequence[str] = ()) -> LoadedProblem:
    """Read the project in folder ``root``.

    Later sources win: ``modelyard.yaml``, then ``modelyard.<env>.yaml``, then each ``a.b=value`` of ``settings``
    (the value is read as YAML). Mappings merge key by key; lists are replaced. Metrics of one's own are known by their
    names from then on.

    Raises
    ------
    ConfigError
        If a file is missing or not YAML, a key is unknown or a value is not allowed; the sentence names the key.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    files = [root / PROJECT_FILE]
    if env is not None:
        files.append(root / f"modelyard.{env}.yaml")
    for path in files:
        _merge(merged, _with_new_names(_read_yaml(path)), origins, path.name)
    for setting in settings:
        _merge(merged, _with_new_names(_parse_setting(setting)), origins, f"--set {setting}")
    problem = _validate(merged, str(root / PROJECT_FILE))
    declare_metrics(problem.metrics.own(Task.AUTO), root)
    return LoadedProblem(problem, origins)


def json_schema() -> dict[str, Any]:
    """The project file's JSON Schema, for editors."""
    schema = Problem.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "modelyard project file"
    return schema


def _read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            "there is no project file here",
            where=str(path),
            cure="Run 'modelyard new NAME --data FILE --target COLUMN', or give the project's folder with --project",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the file cannot be read", where=str(path), got=str(error), cure="Check its permissions and its encoding"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            "the file is not valid YAML", where=str(path), got=" ".join(str(error).split()), cure="Mend that line"
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            "the file must hold keys and values",
            where=str(path),
            got=type(content).__name__,
            cure="Start from the file that 'modelyard new' writes",
        )
    return content


def _parse_setting(setting: str) -> dict[str, Any]:
    """``a.b=value`` as nested mappings."""
    key, separator, text = setting.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise ConfigError(
            "a setting must look like key.sub=value", where="--set", got=repr(setting), cure="Try: training.folds=3"
        )
    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(
            "the value is not valid YAML", where=f"--set {key}", got=repr(text), cure="Put it in quotes"
        ) from error
    for part in reversed(parts):
        value = {part: value}
    nested: dict[str, Any] = value
    return nested


def _with_new_names(values: dict[str, Any]) -> dict[str, Any]:
    """Keys by the names of today, so that a later source wins over an older one whichever name each of them uses."""
    for section, old, new in _RENAMED:
        keys = values.get(section)
        if isinstance(keys, dict) and old in keys and new not in keys:
            keys[new] = keys.pop(old)
    return values


def _merge(base: dict[str, Any], update: Mapping[str, Any], origins: dict[str, str], origin: str) -> None:
    """Merge ``update`` into ``base`` in place, noting the origin of each leaf."""

    def walk(target: dict[str, Any], source: Mapping[str, Any], prefix: str) -> None:
        for key, value in source.items():
            dotted = f"{prefix}{key}"
            if isinstance(value, Mapping) and isinstance(target.get(key), dict):
                walk(target[key], value, f"{dotted}.")
            elif isinstance(value, Mapping):
                target[key] = {}
                walk(target[key], value, f"{dotted}.")
            else:
                target[key] = value
                origins[dotted] = origin

    walk(base, update, "")


def _validate(values: Mapping[str, Any], where: str) -> Problem:
    """The problem, or the first of its errors as one sentence with a cure."""
    try:
        return Problem.model_validate(values)
    except ValidationError as error:
        # A mistyped key is both unknown and missing; the unknown one carries the cure.
        first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        location = [str(part) for part in first["loc"]]
        # What Pydantic says holds the value; where that is a password, nothing of it may be carried on.
        hidden = None if first["type"] == "secret" else error
        raise ConfigError(**_describe(first, location, where)) from hidden


def _describe(first: Any, location: list[str], where: str) -> dict[str, str]:
    """The parts of a ConfigError for one of Pydantic's error records."""
    location = (
        first.get("ctx", {}).get("key", ".".join(location)).split(".")
    )  # what is missing in the whole names its key
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1)
        cure = f"Did you mean {near[0]!r}?" if near else f"Known keys here: {', '.join(known)}"
        return {"what": f"unknown key {key!r}", "where": where, "cure": cure}
    if first["type"] == "missing":
        return {"what": f"the key {key!r} is missing", "where": where, "cure": f"Add '{location[-1]}:' to the file"}
    if first["type"] == "secret":
        cure = "Write ${NAME} in its place, and set the environment variable NAME"
        return {"what": f"{key} is not allowed: {first['msg']}", "where": where, "cure": cure}
    message = first["msg"].removeprefix("Value error, ")
    return {
        "what": f"{key or 'the file'} is not allowed: {message}",
        "where": where,
        "got": repr(first["input"])[:80],
        "cure": "Mend that value; 'modelyard explain schema' shows what is allowed",
    }


def _known_keys(path: Sequence[str]) -> list[str]:
    """Names of the fields of the model that lies at ``path``."""
    model: type[BaseModel] = Problem
    for part in path:
        field = model.model_fields.get(part)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        model = field.annotation
    return list(model.model_fields)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys; empty mappings stay as values."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _as_text(value: Any) -> str:
    """A value as it would stand in the file."""
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "–"
    return str(value) if value or value in (0, False) else "–"
