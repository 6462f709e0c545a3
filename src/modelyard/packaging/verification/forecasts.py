"""What only packages of forecasts have: golden histories, and a plan that reads a history."""

import json
from collections.abc import Iterator

import yaml

from modelyard.data import Contract
from modelyard.packaging.courses.horizon import ForecastScorer
from modelyard.packaging.golden import Parity
from modelyard.packaging.mlflow_files import output_columns
from modelyard.packaging.package import Package
from modelyard.packaging.verification.records import Check

__all__ = ["check_history_signature", "forecast_parity"]


def forecast_parity(package: Package) -> Parity:
    """The golden histories, told after on this machine."""
    return ForecastScorer.load(package).verify_golden()


def check_history_signature(package: Package) -> Check:
    """Plan, contract, golden histories and MLflow's signature speak of the same columns."""
    scorer = ForecastScorer.load(package)
    wanted = set(scorer.plan.columns)
    wrong = tuple(_differences(scorer, Contract.from_dict(package.read_json("contract.json")), package, wanted))
    steps = scorer.plan.rule.horizon
    return Check.of("signature", f"{len(wanted)} columns in, {steps} steps out, in every file alike", wrong)


def _differences(scorer: ForecastScorer, contract: Contract, package: Package, wanted: set[str]) -> Iterator[str]:
    """What names other columns, or tells other steps."""
    signature = yaml.safe_load(package.read("MLmodel"))["signature"]
    named = {
        "contract.json names": {column.name for column in contract.columns},
        "MLmodel's signature asks for": {item["name"] for item in json.loads(signature["inputs"])},
    }
    histories = scorer.golden.histories
    named |= {
        f"golden history {place} gives": set(row) for place, item in enumerate(histories) for row in item.rows[:1]
    }
    for who, columns in named.items():
        if columns != wanted:
            yield f"{who} {', '.join(sorted(columns))}, where {', '.join(sorted(wanted))} belong"
    if not histories:
        yield "golden.json holds no histories"
    horizon = scorer.plan.rule.horizon
    if any(len(item.expected) == 0 or len(item.expected) % horizon for item in histories):
        yield f"a golden history expects other than {horizon} steps a series"
    if len(scorer.plan.rule.widths) != horizon:
        yield f"plan.json has {len(scorer.plan.rule.widths)} widths for {horizon} steps"
    if json.loads(signature["outputs"]) != output_columns(scorer.plan):
        yield "MLmodel's signature gives other outputs than the plan"
