"""Writing the tests: what this package's columns are stands in them as plain literals, for people to read and review."""

import pprint
from collections.abc import Mapping
from string import Template
from typing import Any

from modelyard.data import Contract
from modelyard.data.schema import ColumnKind
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.suite import texts
from modelyard.problem import Task

__all__ = ["history_suite_files", "suite_files"]

_WIDTH = 110


def suite_files(contract: Contract, plan: ScoringPlan) -> dict[str, str]:
    """The files of the folder ``tests``: name to text.

    Parameters
    ----------
    contract
        Its columns, types and ranges become literals.
    plan
        Task and classes.
    """
    return {
        "pytest.ini": texts.INI,
        "conftest.py": texts.CONFTEST,
        "test_golden.py": texts.GOLDEN,
        "test_invariances.py": texts.INVARIANCES,
        "test_ranges.py": _filled(texts.RANGES, RANGES=_ranges(contract), OUTPUTS=_outputs(plan)),
        "test_schema.py": _filled(texts.SCHEMA, COLUMNS=_columns(contract)),
    }


def history_suite_files(columns: tuple[str, ...], horizon: int) -> dict[str, str]:
    """As :func:`suite_files`, for a package that tells what follows a history.

    Parameters
    ----------
    columns, horizon
        What its plan reads, and how many steps it tells.
    """
    return {"pytest.ini": texts.INI, "test_golden.py": _filled(texts.HISTORIES, COLUMNS=columns, HORIZON=horizon)}


def _filled(text: str, **literals: object) -> str:
    return Template(text).substitute({name: _literal(value) for name, value in literals.items()})


def _literal(value: object) -> str:
    """Python's own spelling, one entry a line."""
    return pprint.pformat(value, width=_WIDTH, sort_dicts=False)


def _columns(contract: Contract) -> Mapping[str, Any]:
    """Column to kind, and whether the field must be there."""
    return {column.name: (column.kind.value, column.must_be_there) for column in contract.columns}


def _ranges(contract: Contract) -> Mapping[str, Any]:
    """Numbers: the smallest and the largest that training saw, within what is declared."""
    return {
        column.name: (column.low, column.high)
        for column in contract.columns
        if column.kind is ColumnKind.NUMERIC and column.low is not None and column.high is not None
        if column.hard_limits[0] <= column.low and column.high <= column.hard_limits[1]
    }


def _outputs(plan: ScoringPlan) -> str | int:
    """``value``, ``probability``, or the number of classes."""
    if plan.task in (Task.REGRESSION, Task.ANOMALY):
        return "value"
    return "probability" if plan.task is Task.BINARY else len(plan.classes)
