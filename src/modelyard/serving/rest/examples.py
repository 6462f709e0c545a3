"""Examples for the OpenAPI document, from the package's golden rows: what can be sent, and what then comes back."""

from typing import Any

import numpy as np

from modelyard.data import ColumnKind
from modelyard.problem import Task
from modelyard.serving.endpoint import ActiveModel

__all__ = ["DATATYPES_BY_KIND", "request_examples", "response_examples"]

DATATYPES_BY_KIND = {ColumnKind.NUMERIC: "FP64", ColumnKind.BOOLEAN: "BOOL"}
"""The Open Inference Protocol's datatypes of columns; all others are ``BYTES``."""

_ID = "019a0000-0000-7000-8000-000000000000"
_ROWS = 2


def request_examples(model: ActiveModel) -> dict[str, dict[str, Any]]:
    """By operation, bodies by name; empty if the package has no golden rows."""
    rows = [dict(row.features) for row in model.scorer.golden.rows[:_ROWS]]
    if not rows:
        return {}
    tensors = [
        {
            "name": column.name,
            "shape": [len(rows)],
            "datatype": DATATYPES_BY_KIND.get(column.kind, "BYTES"),
            "data": [row.get(column.name) for row in rows],
        }
        for column in model.contract.columns
    ]
    asked = {"one row": rows[0], "rows": rows, "columns": {name: [row.get(name) for row in rows] for name in rows[0]}}
    names = list(rows[0])
    return {
        "predict": asked,
        "explain": {"one row": rows[0]},
        "feedback": {"a label": {"id": _ID, "label": model.classes[-1] if model.classes else 1.5}},
        "infer": {"tensors": {"inputs": tensors}},
        "version_infer": {"tensors": {"inputs": tensors}},
        "invocations": {
            "dataframe_records": {"dataframe_records": rows},
            "dataframe_split": {
                "dataframe_split": {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}
            },
            "instances": {"instances": rows},
            "inputs": {"inputs": asked["columns"]},
        },
    }


def response_examples(model: ActiveModel) -> dict[str, dict[str, Any]]:
    """By operation, good answers by name: those that the training pipeline gave to the golden rows."""
    golden = model.scorer.golden.rows[:1]
    if not golden:
        return {}
    scorer = model.scorer
    several = scorer.form is Task.MULTICLASS
    scores = np.array([row.expected for row in golden])
    label = scorer.decide(scores if several else scores[:, 0])[0]
    answer: dict[str, Any] = {
        "id": _ID,
        "score": float(scores[0].max()),
        "label": label,
        "flags": [],
        "model": model.name,
        "version": model.version,
    }
    if several:
        answer["probabilities"] = dict(zip(model.classes, scores[0].tolist(), strict=True))
    return {"predict": {"one row": answer}, "feedback": {"a label": {"recorded": 1}}}
