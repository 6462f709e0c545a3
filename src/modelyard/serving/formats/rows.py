"""The body of ``/predict``: one row, a list of rows, or columns."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.serving.formats.problems import FieldError, RefusedRequestError, shown

__all__ = ["ParsedRows", "Row", "parse_rows", "rows_from_columns", "rows_from_list"]

Row = dict[str, Any]
"""Values by column name; a missing value is None."""

_CURE = "Send one row object, a list of row objects, or an object of columns (lists of equal length)"


@dataclasses.dataclass(frozen=True, slots=True)
class ParsedRows:
    """Rows, and whether the caller sent a single one, who then gets a single answer."""

    rows: list[Row]
    is_single: bool


def parse_rows(body: Any) -> ParsedRows:
    """The rows of a body in any of the three forms.

    An object is a row unless one of its values is a list; then it is a table by columns.

    >>> parse_rows({"age": [31, 45], "job": ["clerk", None]}).rows
    [{'age': 31, 'job': 'clerk'}, {'age': 45, 'job': None}]

    Raises
    ------
    RefusedRequestError
        With status 422, if the body is none of them or holds no row.
    """
    if isinstance(body, dict):
        for value in body.values():
            if type(value) is list:
                return ParsedRows(rows_from_columns(body), is_single=False)
        if not body:
            raise _refused("the row is empty")
        return ParsedRows([body], is_single=True)
    if isinstance(body, list):
        return ParsedRows(rows_from_list(body), is_single=False)
    raise _refused("the body is neither an object nor a list", FieldError("", shown(body), "an object or a list"))


def rows_from_list(rows: Sequence[Any]) -> list[Row]:
    """Row objects, checked to be objects.

    Raises
    ------
    RefusedRequestError
        With status 422, if there is none, or one of them is something else.
    """
    if not rows:
        raise _refused("there is no row")
    errors = [
        FieldError("", shown(row), "an object with one value for each column", row=number)
        for number, row in enumerate(rows)
        if not isinstance(row, dict)
    ]
    if errors:
        raise _refused("a row is not an object", *errors)
    return list(rows)


def rows_from_columns(columns: Mapping[str, Any]) -> list[Row]:
    """A table by columns as rows.

    Raises
    ------
    RefusedRequestError
        With status 422, if a column is no list, the lengths differ, or there is no row.
    """
    wrong = [
        FieldError(name, shown(values), "a list with one value for each row")
        for name, values in columns.items()
        if not isinstance(values, list)
    ]
    if wrong:
        raise _refused("a column is not a list", *wrong)
    lengths = {name: len(values) for name, values in columns.items()}
    rows = next(iter(lengths.values()), 0)
    uneven = [
        FieldError(name, f"{length} values", f"{rows} values, like the first column")
        for name, length in lengths.items()
        if length != rows
    ]
    if uneven:
        raise _refused("the columns differ in length", *uneven)
    if rows == 0:
        raise _refused("there is no row")
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _refused(what: str, *errors: FieldError) -> RefusedRequestError:
    """The refusal of a body that is no table."""
    return RefusedRequestError(422, "not-rows", what, cure=_CURE, errors=errors)
