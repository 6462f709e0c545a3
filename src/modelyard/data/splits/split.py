"""The split of a data set: planned from the problem, made once."""

import polars as pl

from modelyard.core import Actor, DataError, digest_json
from modelyard.data.resolving import resolve
from modelyard.data.splits.content import rows_digest
from modelyard.data.splits.division import Division, divide
from modelyard.data.splits.findings import split_findings
from modelyard.data.splits.own_test import own_table, own_test
from modelyard.data.splits.parts import cut_parts, dividing_columns
from modelyard.data.splits.stored import Split, SplitRecord, is_stored, load_split, store_parts
from modelyard.data.splits.strategies import Codes
from modelyard.data.table import SPOOL_CELLS
from modelyard.data.version import Dataset, StoredDataset, content_digest
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["divided_rows", "make_split", "refuse_one_class"]

_MADE = "split.made"
_ID_LENGTH = 12


def make_split(dataset: Dataset | StoredDataset, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """Divide a data set once; the same data set, plan, seed, task and target give the same split again.

    The strategy is the plan's; ``auto`` means by time if a time column is declared, else by group, else stratified
    (classes) or random (values). A test table of one's own (``data.test_source``) is sealed as it is, and only
    training and validation are divided. Kinds of columns are inferred on the training part and hold for all parts.
    Columns are taken one at a time, so that a table that does not fit into memory can be divided.

    Raises
    ------
    DataError
        If the target cannot be learnt, a column that the plan needs is absent or unfit, a part would be empty, or
        a class of a binary target is absent from the training part.
    """
    problem = resolve(problem, dataset.table)
    own = own_table(problem, workspace)
    test = own_test(own, dataset.table, problem, workspace)
    id_ = _split_id(dataset.version_id, problem, test)
    if not is_stored(id_, workspace):
        division = divide(dividing_columns(dataset.table, problem), problem, test)
        content = rows_digest(own) if own is not None else ""
        _store(id_, dataset, division, problem, workspace, content)
    split = load_split(id_, workspace)
    if workspace.ledger.count(_MADE, id_) == 0:
        rows = {
            "train": split.record.train_rows,
            "validation": split.record.validation_rows,
            "test": split.record.test_rows,
        }
        details = {"dataset": dataset.version_id, "strategy": split.record.strategy, "rows": rows}
        workspace.ledger.append(actor, _MADE, id_, details)
    return split


def divided_rows(dataset: Dataset | StoredDataset, problem: Problem, workspace: Workspace) -> Codes:
    """The part of every row of a data set, as :func:`make_split` has it."""
    test = own_test(own_table(problem, workspace), dataset.table, problem, workspace)
    return divide(dividing_columns(dataset.table, problem), problem, test).codes


def _split_id(dataset_id: str, problem: Problem, test: pl.DataFrame | None) -> str:
    data = problem.data
    plan = {
        "dataset": dataset_id,
        "plan": problem.split.model_dump(mode="json"),
        "task": problem.task.value,
        "target": data.target,
        "columns": {"id": data.id, "time": data.time, "group": data.group, "types": data.types},
        "own_test": None if test is None else content_digest(test),
    }
    return digest_json(plan)[:_ID_LENGTH]


def _store(
    id_: str,
    dataset: Dataset | StoredDataset,
    division: Division,
    problem: Problem,
    workspace: Workspace,
    content: str,
) -> None:
    """Give the parts their final types, seal the test part, and keep the rest.

    ``content`` is the digest of the user's own test table as it came; ``""`` if there is none.
    """
    with workspace.scratch() as scratch:
        folder = scratch if dataset.table.cells > SPOOL_CELLS else None
        schema, (train, validation, test) = cut_parts(dataset.table, division, problem, folder)
        refuse_one_class(train[problem.data.target], problem, division.strategy)
        record = SplitRecord(
            id=id_,
            dataset_id=dataset.version_id,
            strategy=division.strategy,
            reason=division.reason,
            train_rows=train.height,
            validation_rows=validation.height,
            test_rows=test.height,
            seed=problem.split.seed,
            test_digest=workspace.objects.put_by(test.write),
            test_content=content or rows_digest(test.frame()),
            findings=split_findings(train, validation, test, schema, problem, division.strategy),
            left_out_rows=division.left_out,
        )
        store_parts(record, train, validation, schema, workspace)


def refuse_one_class(target: pl.Series, problem: Problem, strategy: str) -> None:
    """Refuse a training part in which a class is all alone.

    Raises
    ------
    DataError
        If there is nothing to tell apart.
    """
    if problem.task.is_classification and target.n_unique() < 2:
        raise DataError(
            "the training part holds one class only, so there is nothing to learn",
            where=f"target {problem.data.target!r}",
            got=f"{target[0]!r} in all {len(target):,} training rows of the {strategy} split",
            cure="Choose another strategy under split, or bring rows in which both classes occur in the training part",
        )
