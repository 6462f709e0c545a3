"""A split whose parts are known already: the rows of a task that divides by a rule of its own."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from modelyard.core import Actor, digest_json
from modelyard.data.schema import conform, infer_schema
from modelyard.data.splits.content import rows_digest
from modelyard.data.splits.stored import Split, SplitRecord, is_stored, load_split, store_parts
from modelyard.data.table import Table
from modelyard.data.version import StoredDataset
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["seal_rows"]

_ID_LENGTH = 12


def seal_rows(
    dataset: StoredDataset,
    sealed: pl.Series,
    problem: Problem,
    workspace: Workspace,
    actor: Actor,
    rule: Mapping[str, Any],
) -> Split:
    """Seal some rows of a data set and keep the others as the training part; there is no validation part.

    Kinds of columns are inferred on the training rows. The same data set and rule give the same split again.

    Parameters
    ----------
    sealed
        For every row whether it is sealed; some are and some are not.
    rule
        What decided: ``strategy`` and ``reason`` in words, and whatever else the choice depends on.
    """
    id_ = digest_json({"dataset": dataset.version_id, "rule": dict(rule), "types": dict(problem.data.types)})[
        :_ID_LENGTH
    ]
    if not is_stored(id_, workspace):
        frame = dataset.table.frame()
        train, test = frame.filter(~sealed), frame.filter(sealed)
        schema = infer_schema(train, problem.data.types)
        train, own = conform(train, schema), Table(conform(test, schema))
        record = SplitRecord(
            id=id_,
            dataset_id=dataset.version_id,
            strategy=str(rule["strategy"]),
            reason=str(rule["reason"]),
            train_rows=train.height,
            validation_rows=0,
            test_rows=own.height,
            seed=problem.split.seed,
            test_digest=workspace.objects.put_by(own.write),
            test_content=rows_digest(own.frame()),
        )
        store_parts(record, train, train.clear(), schema, workspace)
    split = load_split(id_, workspace)
    if workspace.ledger.count("split.made", id_) == 0:
        rows = {"train": split.record.train_rows, "validation": 0, "test": split.record.test_rows}
        details = {"dataset": dataset.version_id, "strategy": split.record.strategy, "rows": rows}
        workspace.ledger.append(actor, "split.made", id_, details)
    return split
