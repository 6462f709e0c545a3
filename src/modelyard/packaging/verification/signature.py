"""Whether contract, scoring plan, golden rows and MLflow's signature speak of the same columns and answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from modelyard.data import Contract, ReferenceProfile
from modelyard.data.schema import ColumnKind
from modelyard.features import columns_of
from modelyard.packaging.golden import GoldenSet
from modelyard.packaging.mlflow_files import output_columns
from modelyard.packaging.package import Package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.verification.records import Check
from modelyard.problem import Task

__all__ = ["check_signature"]


def check_signature(package: Package) -> Check:
    """The columns of the contract are those that everything else names."""
    plan = ScoringPlan.from_dict(package.read_json("plan.json"))
    contract = Contract.from_dict(package.read_json("contract.json"))
    golden = GoldenSet.from_dict(package.read_json("golden.json"))
    profile = ReferenceProfile.from_dict(package.read_json("reference.json"))
    names = [column.name for column in contract.columns]
    wrong = [
        *_same("plan.json reads", _columns_read(plan), names),
        *_same("reference.json watches", [item.name for item in profile.features if item.name in names], names),
        *_golden(golden, names, plan),
        *_mlflow(package, contract, plan),
    ]
    answers = len(plan.classes) if plan.form is Task.MULTICLASS else 1
    return Check.of("signature", f"{len(names)} columns in, {answers} out, in every file alike", tuple(wrong))


def _columns_read(plan: ScoringPlan) -> list[str]:
    """Columns of the table that the plan reads, by itself or for features of the user's own."""
    made = {own.name for own in plan.own}
    read = [name for encoding in plan.encodings for name in columns_of(encoding) if name not in made]
    return [*read, *(column.name for own in plan.own for column in own.inputs)]


def _golden(golden: GoldenSet, names: Sequence[str], plan: ScoringPlan) -> Iterator[str]:
    """What golden rows ask and expect."""
    width = len(plan.classes) if plan.form is Task.MULTICLASS else 1
    if not golden.rows:
        yield "golden.json holds no rows"
    for place, row in enumerate(golden.rows):
        yield from _same(f"golden row {place} gives", list(row.features), names)
        if len(row.expected) != width:
            yield f"golden row {place} expects {len(row.expected)} numbers, where the plan gives {width}"


def _mlflow(package: Package, contract: Contract, plan: ScoringPlan) -> Iterator[str]:
    """MLflow's signature: names, what may be absent, types that the contract bears out, and outputs."""
    signature = yaml.safe_load(package.read("MLmodel"))["signature"]
    inputs = {item["name"]: item for item in json.loads(signature["inputs"])}
    yield from _same("MLmodel's signature asks for", list(inputs), [column.name for column in contract.columns])
    for column in contract.columns:
        given: Mapping[str, Any] = inputs.get(column.name, {})
        is_text = column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
        if given and given["required"] is column.nullable:
            yield f"MLmodel says that {column.name} is {'' if given['required'] else 'not '}required; the contract differs"
        if given and given["type"] not in (("any", "string") if is_text else ("any",)):
            yield f"MLmodel says that {column.name} is of type {given['type']}; the contract says {column.kind.value}"
    if json.loads(signature["outputs"]) != output_columns(plan):
        yield "MLmodel's signature gives other outputs than the plan"


def _same(who: str, got: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """What one side names and the other does not."""
    lacking, more = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    if lacking:
        yield f"{who} not {', '.join(lacking)}"
    if more:
        yield f"{who} {', '.join(more)}, which the contract does not name"
