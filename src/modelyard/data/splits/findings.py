"""What a split lets through, as findings; rows are counted, never shown."""

from modelyard.core import Finding
from modelyard.data.schema import ColumnKind, Schema
from modelyard.data.splits.near_copies import near_rows, near_texts
from modelyard.data.splits.straddling import shared_groups, shared_rows, times_overlap, unseen_classes
from modelyard.data.table import Table
from modelyard.problem import Problem

__all__ = ["split_findings"]


def split_findings(
    train: Table, validation: Table, test: Table, schema: Schema, problem: Problem, strategy: str
) -> tuple[Finding, ...]:
    """All findings on what straddles; each looks at counts only."""
    data = problem.data
    compared = [
        column.name
        for column in schema.columns
        if column.kind is not ColumnKind.IDENTIFIER
        and column.name not in (data.id, problem.split.column)
        and column.name in test.columns
    ]
    findings = shared_rows(train, test, compared) + _near_copies(train, test, schema, problem, compared)
    own_test = data.test_source is not None
    if data.group is not None and (strategy != "group" or own_test):
        findings += shared_groups(train[data.group], test[data.group])
    if data.time is not None and (strategy != "time" or own_test):
        findings += times_overlap(train[data.time], test[data.time])
    if problem.task.is_classification:
        findings += unseen_classes(train[data.target], validation[data.target], "validation")
        findings += unseen_classes(train[data.target], test[data.target], "test")
    return findings


def _near_copies(
    train: Table, test: Table, schema: Schema, problem: Problem, compared: list[str]
) -> tuple[Finding, ...]:
    """Findings on rows and texts that nearly repeat; what orders rows or is asked for says nothing about them."""
    about = [name for name in compared if name not in (problem.data.target, problem.data.time)]
    texts = [name for name in about if schema.column(name).kind is ColumnKind.TEXT]
    findings = near_rows(train, test, [name for name in about if name not in texts])
    return findings + tuple(finding for name in texts for finding in near_texts(train[name], test[name]))
