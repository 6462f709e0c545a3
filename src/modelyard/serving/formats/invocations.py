"""MLflow's scoring protocol: the four JSON forms of ``/invocations``, and its answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.serving.formats.problems import FieldError, RefusedRequestError, shown
from modelyard.serving.formats.rows import Row, rows_from_columns, rows_from_list

__all__ = ["INVOCATION_FORMS", "parse_invocation"]

INVOCATION_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
"""The members of which a body must have exactly one; ``params`` may stand beside it and is not used."""

_CURE = f"Send an object with exactly one of {', '.join(INVOCATION_FORMS)}"


def parse_invocation(body: Any) -> list[Row]:
    """The rows of an MLflow body.

    >>> parse_invocation({"dataframe_split": {"columns": ["age", "job"], "data": [[31, "clerk"]]}})
    [{'age': 31, 'job': 'clerk'}]

    Raises
    ------
    RefusedRequestError
        With status 422, if the body has none of the forms, or several, or holds no row.
    """
    if not isinstance(body, dict):
        raise _refused("the body is not an object", FieldError("", shown(body), "an object"))
    forms = [name for name in INVOCATION_FORMS if name in body]
    unknown = [name for name in body if name not in (*INVOCATION_FORMS, "params")]
    if len(forms) != 1 or unknown:
        raise _refused(
            "the body has not exactly one input form",
            FieldError("", ", ".join([*forms, *unknown]) or "none", "exactly one input form"),
        )
    form = forms[0]
    content = body[form]
    if form == "dataframe_split":
        return _from_split(content)
    if form == "inputs" and isinstance(content, dict):
        return _from_inputs(content)
    if not isinstance(content, list):
        raise _refused(f"{form} is not a list", FieldError(form, shown(content), "a list of row objects"))
    return rows_from_list(content)


def _from_inputs(content: Mapping[str, Any]) -> list[Row]:
    """Columns, or one row of scalars, which MLflow's clients send too."""
    if any(isinstance(values, list) for values in content.values()):
        return rows_from_columns(content)
    return rows_from_list([content] if content else [])


def _from_split(content: Any) -> list[Row]:
    """The form that ``DataFrame.to_dict(orient="split")`` gives: ``columns`` and ``data``, and an unused ``index``."""
    if not isinstance(content, dict) or not isinstance(content.get("columns"), list):
        raise _refused(
            "dataframe_split has no columns",
            FieldError("dataframe_split", shown(content), "an object with columns and data, both lists"),
        )
    columns = content["columns"]
    data = content.get("data")
    if not all(isinstance(name, str) for name in columns) or len(set(map(str, columns))) != len(columns):
        raise _refused(
            "the column names are not distinct texts",
            FieldError("dataframe_split.columns", shown(columns), "distinct column names"),
        )
    if not isinstance(data, list) or not data:
        raise _refused(
            "there is no row", FieldError("dataframe_split.data", shown(data), "a list with at least one row")
        )
    return _zip_rows(columns, data)


def _zip_rows(columns: Sequence[str], data: Sequence[Any]) -> list[Row]:
    """Rows of values with their names."""
    errors = [
        FieldError("dataframe_split.data", shown(values), f"a list of {len(columns)} values", row=number)
        for number, values in enumerate(data)
        if not isinstance(values, list) or len(values) != len(columns)
    ]
    if errors:
        raise _refused("a row has not one value for each column", *errors)
    return [dict(zip(columns, values, strict=True)) for values in data]


def _refused(what: str, *errors: FieldError) -> RefusedRequestError:
    """The refusal of a body that is no MLflow request."""
    return RefusedRequestError(422, "not-an-invocation", what, cure=_CURE, errors=errors)
