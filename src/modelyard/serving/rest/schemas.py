"""JSON Schemas of the bodies, for the OpenAPI document."""

import math
from typing import Any

from modelyard.data import ColumnContract, ColumnKind, Contract

__all__ = ["COMPONENTS", "REQUEST_SCHEMAS", "RESPONSE_SCHEMAS", "TABLE_TYPES", "row_schema"]

TABLE_TYPES = (
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.arrow.file",
    "application/vnd.apache.parquet",
)
"""Content types of tables, which ``/predict`` takes and gives too."""

_JSON_TYPES = {ColumnKind.NUMERIC: "number", ColumnKind.BOOLEAN: "boolean"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COLUMNS = {"type": "object", "additionalProperties": {"type": "array"}}

COMPONENTS: dict[str, Any] = {
    "Columns": {**_COLUMNS, "description": "A table by columns: lists of equal length."},
    "Flag": _object(["field", "rule", "got", "expected"], field=_TEXT, rule=_TEXT, got=_TEXT, expected=_TEXT),
    "Prediction": _object(
        ["id", "score", "label", "flags", "model", "version"],
        id={"type": "string", "format": "uuid", "description": "Labels come back under this id."},
        score={
            **_NUMBER,
            "description": "Probability of the positive or decided class, or the predicted value; of anomalies how strange the row is.",
        },
        label={"type": ["string", "number"], "description": "The decision."},
        flags={"type": "array", "items": _ref("Flag"), "description": "Accepted values unlike the training data."},
        model=_TEXT,
        version=_TEXT,
        probabilities={"type": "object", "additionalProperties": _NUMBER},
        prediction_interval={
            "type": "array",
            "items": _NUMBER,
            "minItems": 2,
            "maxItems": 2,
            "description": "Lower and upper end; with ?uncertainty=true.",
        },
        prediction_set={
            "type": "array",
            "items": _TEXT,
            "description": "Classes that cannot be ruled out; with ?uncertainty=true.",
        },
        coverage={**_NUMBER, "description": "Share of the cases in which they hold the truth."},
        prediction_quantiles={
            "type": "object",
            "additionalProperties": _NUMBER,
            "description": "Value by level, such as 0.9: below it lie nine of ten true values; with ?uncertainty=true.",
        },
    ),
    "Predictions": _object(["predictions"], predictions=_list_of(_ref("Prediction"))),
    "Contribution": _object(
        ["field", "value", "amount"],
        field=_TEXT,
        value={"description": "As it was sent; null if it is missing."},
        amount={**_NUMBER, "description": "What it adds to the score of an average row."},
    ),
    "Explanation": _object(
        ["summary", "contributions", "baseline", "raw_score", "scale", "method", "explained_class"],
        summary={**_TEXT, "description": "The largest contributions as a sentence."},
        contributions={"type": "array", "items": _ref("Contribution"), "description": "The largest first."},
        baseline={**_NUMBER, "description": "The raw score of an average row."},
        raw_score={**_NUMBER, "description": "The sum of the baseline and all amounts."},
        scale={"enum": ["value", "probability", "log-odds"], "description": "Of baseline, amounts and raw score."},
        method={"enum": ["exact", "sampled"], "description": "Sampled amounts vary a little around the exact ones."},
        explained_class={**_TEXT, "description": "The positive or the decided class; empty for a value."},
    ),
    "Explained": _object(["prediction", "explanation"], prediction=_ref("Prediction"), explanation=_ref("Explanation")),
    "Explanations": _object(["explanations"], explanations=_list_of(_ref("Explained"))),
    "Feedback": _object(["id", "label"], id={"type": "string", "format": "uuid"}, label={"type": ["string", "number"]}),
    "Tensor": _object(
        ["name", "shape", "datatype", "data"],
        name=_TEXT,
        shape={"type": "array", "items": {"type": "integer", "minimum": 0}},
        datatype=_TEXT,
        data={"type": "array"},
    ),
    "InferenceRequest": _object(
        ["inputs"],
        id=_TEXT,
        inputs=_list_of(_ref("Tensor")),
        outputs={"type": "array", "items": _object(["name"], name=_TEXT)},
    ),
    "InferenceResponse": _object(
        ["model_name", "model_version", "outputs"],
        model_name=_TEXT,
        model_version=_TEXT,
        id=_TEXT,
        outputs=_list_of(_ref("Tensor")),
    ),
    "Invocation": {
        "oneOf": [
            _object(
                ["dataframe_split"],
                dataframe_split=_object(["columns", "data"], columns={"type": "array"}, data={"type": "array"}),
            ),
            _object(["dataframe_records"], dataframe_records=_list_of(_ref("Row"))),
            _object(["instances"], instances=_list_of(_ref("Row"))),
            _object(["inputs"], inputs={"anyOf": [_ref("Columns"), _ref("Row"), _list_of(_ref("Row"))]}),
        ]
    },
    "InvocationResponse": _object(["predictions"], predictions={"type": "array"}, prediction_ids=_list_of(_TEXT)),
    "FieldError": _object(
        ["field", "got", "expected"], row={"type": "integer"}, field=_TEXT, got=_TEXT, expected=_TEXT, rule=_TEXT
    ),
    "Problem": _object(
        ["type", "title", "status", "detail", "instance"],
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        instance=_TEXT,
        errors={"type": "array", "items": _ref("FieldError")},
        errors_total={"type": "integer"},
    ),
}
"""Schemas that do not depend on the model."""

REQUEST_SCHEMAS: dict[str, Any] = {
    "predict": {"anyOf": [_ref("Row"), _list_of(_ref("Row")), _ref("Columns")]},
    "explain": {"anyOf": [_ref("Row"), _list_of(_ref("Row")), _ref("Columns")]},
    "feedback": {"anyOf": [_ref("Feedback"), _list_of(_ref("Feedback"))]},
    "infer": _ref("InferenceRequest"),
    "version_infer": _ref("InferenceRequest"),
    "invocations": _ref("Invocation"),
}
"""Bodies by operation."""

RESPONSE_SCHEMAS: dict[str, Any] = {
    "predict": {"anyOf": [_ref("Prediction"), _ref("Predictions")]},
    "explain": {"anyOf": [_ref("Explained"), _ref("Explanations")]},
    "feedback": _object(["recorded"], recorded={"type": "integer"}),
    "infer": _ref("InferenceResponse"),
    "version_infer": _ref("InferenceResponse"),
    "invocations": _ref("InvocationResponse"),
}
"""Good answers by operation, where they are more than an object."""


def row_schema(contract: Contract) -> dict[str, Any]:
    """The schema of one row: a property a column, nullable unless declared otherwise; what must be there is required."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {column.name: _property(column) for column in contract.columns},
    }
    required = [column.name for column in contract.columns if column.must_be_there]
    return schema | {"required": required} if required else schema


def _property(column: ColumnContract) -> dict[str, Any]:
    """One column: its type and what was declared, which rejects; what training saw as a description, which flags."""
    type_ = _JSON_TYPES.get(column.kind, "string")
    schema: dict[str, Any] = {"type": [type_] if column.refuses_null else [type_, "null"]}
    schema |= _limits(column)
    if column.kind is ColumnKind.DATE:
        schema["description"] = "ISO 8601."
    if names := column.allowed or column.categories:
        schema["examples"] = list(names[:10])
    elif column.low is not None and column.high is not None and column.kind is ColumnKind.NUMERIC:
        schema["description"] = f"In training from {column.low:g} to {column.high:g}."
    if column.allowed:
        schema["description"] = f"Declared: {column.in_words}."
    return schema


def _limits(column: ColumnContract) -> dict[str, float]:
    """The numbers beyond which a row is rejected: what is declared, and for a strict field what training saw."""
    low, high = column.hard_limits if column.rejects("limit") else (-math.inf, math.inf)
    if column.rejects("range"):
        low, high = max(low, column.limits[0]), min(high, column.limits[1])
    return {name: limit for name, limit in (("minimum", low), ("maximum", high)) if math.isfinite(limit)}
