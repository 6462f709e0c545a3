"""The files by which MLflow recognises a package as a model directory. Written without MLflow."""

import datetime as dt
import json
import platform
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from modelyard.data import Contract
from modelyard.data.schema import Column, ColumnKind
from modelyard.packaging.courses.telling_plan import TellingPlan
from modelyard.packaging.manifest import PROTOCOL
from modelyard.packaging.plan import ScoringPlan
from modelyard.problem import Task

__all__ = ["ADDED_BY_MLFLOW", "LOADER", "mlflow_files", "output_columns"]

_TOLD = {
    "series": "string",
    "moment": "datetime",
    "step": "long",
    "forecast": "double",
    "low": "double",
    "high": "double",
}
"""What a forecast's loader gives, for each series and step ahead."""

LOADER = "modelyard.packaging.mlflow_loader"

ADDED_BY_MLFLOW = ("registered_model_meta",)
"""What MLflow lays into a model's folder when it loads one from its registry (``models:/churn@champion``)."""


def mlflow_files(
    plan: ScoringPlan | TellingPlan,
    columns: Sequence[Column],
    contract: Contract,
    *,
    requirements: Mapping[str, str],
    created_at: dt.datetime,
) -> dict[str, str]:
    """``MLmodel`` and the three descriptions of the environment: name to text.

    The signature names every feature; which may be absent follows from the contract. Text has the type ``string``;
    all else is ``any``, because MLflow's own types refuse whole numbers for ``double``, gaps for ``long`` and
    ``boolean``, and ISO 8601 text for ``datetime``. The loader checks types by the contract instead, which knows gaps.
    """
    python = platform.python_version()
    pins = [f"{name}=={version}" for name, version in requirements.items()]
    python_env = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": pins}],
    }
    return {
        "MLmodel": _yaml(_mlmodel(plan, columns, contract, python, created_at)),
        "requirements.txt": "".join(f"{pin}\n" for pin in pins),
        "python_env.yaml": _yaml(python_env),
        "conda.yaml": _yaml(conda),
    }


def _mlmodel(
    plan: ScoringPlan | TellingPlan, columns: Sequence[Column], contract: Contract, python: str, created_at: dt.datetime
) -> dict[str, Any]:
    nullable = {column.name: column.nullable for column in contract.columns}
    inputs = [
        {"type": _type_of(column), "name": column.name, "required": not nullable.get(column.name, True)}
        for column in columns
    ]
    environment = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    return {
        "flavors": {
            "python_function": {"env": environment, "loader_module": LOADER, "python_version": python},
            "modelyard": {"protocol": PROTOCOL, "manifest": "manifest.json"},
        },
        "metadata": {"task": plan.task.value, "kinds": {column.name: column.kind.value for column in columns}},
        "model_uuid": uuid.uuid4().hex,
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(output_columns(plan)), "params": None},
        "utc_time_created": created_at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


def _type_of(column: Column) -> str:
    return "string" if column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT) and column.dtype == "String" else "any"


def output_columns(plan: ScoringPlan | TellingPlan) -> list[dict[str, Any]]:
    """The columns that the loader's ``predict`` gives."""
    if isinstance(plan, TellingPlan):
        return [{"type": kind, "name": name, "required": True} for name, kind in _TOLD.items()]
    label = "double" if plan.form is Task.REGRESSION else "string"
    outputs = [("prediction", label)]
    if plan.form.is_classification:
        outputs.append(("score", "double"))
    if plan.form is Task.MULTICLASS:
        outputs += [(f"score.{name}", "double") for name in plan.classes]
    return [{"type": kind, "name": name, "required": True} for name, kind in outputs]


def _yaml(content: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(content), sort_keys=True, allow_unicode=True)
    return text
