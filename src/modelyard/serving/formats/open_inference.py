"""The Open Inference Protocol, version 2 (REST): one tensor a column in, one tensor an output out.

Source: the protocol's "HTTP/REST" chapter, as kept by KServe. Tensors are JSON here;
:mod:`~modelyard.serving.formats.binary_tensors` puts binary ones into it. A null in ``data`` is a missing value.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.serving.formats.problems import FieldError, RefusedRequestError, shown
from modelyard.serving.formats.rows import Row

__all__ = ["DATATYPES", "parse_inference", "requested_outputs", "tensor"]

_INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
_FLOATS = frozenset({"FP16", "FP32", "FP64", "BF16"})
DATATYPES = frozenset({"BOOL", "BYTES", *_INTEGERS, *_FLOATS})
"""The protocol's tensor element types."""

_CURE = "Send {'inputs': [{'name', 'shape', 'datatype', 'data'}, …]} with one tensor for each column"


def parse_inference(body: Any) -> list[Row]:
    """The rows of an inference request; each input tensor is a column of shape ``[n]`` or ``[n, 1]``.

    >>> parse_inference({"inputs": [{"name": "age", "shape": [2], "datatype": "INT64", "data": [31, 45]}]})
    [{'age': 31}, {'age': 45}]

    Raises
    ------
    RefusedRequestError
        With status 422, if the body does not follow the protocol, or the tensors are no table.
    """
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), list) or not body["inputs"]:
        raise _refused("there are no input tensors", FieldError("inputs", shown(body), "a list of tensors"))
    columns: dict[str, list[Any]] = {}
    for number, tensor_in in enumerate(body["inputs"]):
        name, values = _column(tensor_in, f"inputs[{number}]")
        if name in columns:
            raise _refused("two tensors have one name", FieldError(name, "two tensors", "one tensor for each column"))
        columns[name] = values
    rows = len(next(iter(columns.values())))
    uneven = [
        FieldError(name, f"{len(values)} rows", f"{rows} rows, like the first tensor")
        for name, values in columns.items()
        if len(values) != rows
    ]
    if uneven:
        raise _refused("the tensors differ in rows", *uneven)
    if rows == 0:
        raise _refused("there is no row")
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def requested_outputs(body: Mapping[str, Any], offered: Sequence[str]) -> tuple[str, ...]:
    """Names of the outputs that the request asks for; all that are offered if it names none.

    Raises
    ------
    RefusedRequestError
        With status 422, if it names one that does not exist.
    """
    wanted = body.get("outputs") or []
    if not isinstance(wanted, list):
        raise _refused("outputs is not a list", FieldError("outputs", shown(wanted), "a list of {'name': …}"))
    names: list[str] = []
    for entry in wanted:
        name = entry.get("name") if isinstance(entry, dict) else None
        if name not in offered:
            raise _refused("there is no such output", FieldError("outputs", shown(entry), f"one of {list(offered)}"))
        names.append(str(name))
    return tuple(names) or tuple(offered)


def tensor(name: str, datatype: str, data: Sequence[Any], *, width: int | None = None) -> dict[str, Any]:
    """An output tensor of shape ``[n]``, or ``[n, width]`` from flat row-major data.

    >>> tensor("score", "FP64", [0.5])
    {'name': 'score', 'shape': [1], 'datatype': 'FP64', 'data': [0.5]}
    """
    shape = [len(data)] if width is None else [len(data) // width, width]
    return {"name": name, "shape": shape, "datatype": datatype, "data": list(data)}


def _column(tensor_in: Any, where: str) -> tuple[str, list[Any]]:
    """Name and values of one input tensor."""
    if not isinstance(tensor_in, dict) or not isinstance(tensor_in.get("name"), str):
        raise _refused("a tensor has no name", FieldError(where, shown(tensor_in), "a tensor with a name"))
    name = tensor_in["name"]
    datatype = tensor_in.get("datatype")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise _refused(
            "a tensor has no known datatype",
            FieldError(name, shown(datatype), f"one of {', '.join(sorted(DATATYPES))}"),
        )
    rows = _rows_of_shape(name, tensor_in.get("shape"))
    data = tensor_in.get("data")
    if not isinstance(data, list):
        raise _refused("a tensor has no data", FieldError(name, shown(data), "a list, or a binary_data_size"))
    values = [cell[0] if isinstance(cell, list) and len(cell) == 1 else cell for cell in data]
    if len(values) != rows:
        raise _refused("shape and data disagree", FieldError(name, f"{len(values)} values", f"{rows}, by its shape"))
    return name, [_element(value, datatype, name, number) for number, value in enumerate(values)]


def _rows_of_shape(name: str, shape: Any) -> int:
    """The number of rows that a shape declares."""
    is_sizes = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not is_sizes or len(shape) not in (1, 2) or math.prod(shape[1:]) != 1:
        raise _refused("a tensor is no column", FieldError(name, f"shape {shown(shape)}", "shape [n] or [n, 1]"))
    return int(shape[0])


def _element(value: Any, datatype: str, name: str, row: int) -> Any:
    """One element, checked against the tensor's datatype; integers are welcome where floats are declared."""
    if value is None:
        return None
    if datatype == "BYTES":
        fits = isinstance(value, str)
    elif datatype == "BOOL":
        fits = isinstance(value, bool)
    elif datatype in _FLOATS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits:
        raise _refused(
            "an element is not of its tensor's datatype", FieldError(name, shown(value), datatype, row=row, rule="type")
        )
    return value


def _refused(what: str, *errors: FieldError) -> RefusedRequestError:
    """The refusal of a body that does not follow the protocol."""
    return RefusedRequestError(422, "not-an-inference-request", what, cure=_CURE, errors=errors)
