"""The binary tensor extension of the Open Inference Protocol: values behind the JSON, instead of in it.

Source: the extension "binary tensor data" as Triton documents it and KServe keeps it. Numbers are little-endian;
``BYTES`` elements come with their lengths in front.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from modelyard.serving.formats.problems import FieldError, RefusedRequestError, shown

__all__ = ["LENGTH_HEADER", "fill_tensors", "pack_tensors", "split_body"]

LENGTH_HEADER = b"inference-header-content-length"

_NUMBERS = {
    "BOOL": "?",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_CURE = "Send the JSON, whose length the header Inference-Header-Content-Length names, and then each tensor's bytes in order"


def split_body(body: bytes, length: bytes) -> tuple[bytes, bytes]:
    """The JSON of a body, and the bytes behind it.

    Raises
    ------
    RefusedRequestError
        With status 422, if the length is none.
    """
    size = int(length) if length.isdigit() and len(length) < 12 else -1
    if not 0 <= size <= len(body):
        raise _refused(
            "the length of the JSON is not within the body", FieldError("", _shown_bytes(length), f"0 to {len(body)}")
        )
    return body[:size], body[size:]


def fill_tensors(document: Any, data: bytes) -> Any:
    """The same request with its binary tensors as lists; one without any is left as it is.

    Raises
    ------
    RefusedRequestError
        With status 422, if sizes, datatypes and bytes do not fit together.
    """
    tensors = document.get("inputs") if isinstance(document, dict) else None
    place, filled = 0, []
    for tensor in tensors if isinstance(tensors, list) else ():
        size = _binary_size(tensor)
        if size is None:
            filled.append(tensor)
            continue
        values = _values(tensor, data[place : place + size], size)
        filled.append({**tensor, "data": values})
        place += size
    if place != len(data):
        raise _refused(
            "the bytes behind the JSON are not those of its tensors",
            FieldError("inputs", f"{len(data)} bytes", f"{place} bytes, by the tensors' binary_data_size"),
        )
    return {**document, "inputs": filled} if filled else document


def pack_tensors(answer: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[bytes, int | None]:
    """The body of an answer, and the length of its JSON; None if no output was asked for in binary form."""
    wanted = _wanted(request, [output["name"] for output in answer["outputs"]])
    if not wanted:
        return msgspec.json.encode(answer), None
    outputs: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for output in answer["outputs"]:
        if output["name"] not in wanted:
            outputs.append(output)
            continue
        packed = _packed(output["datatype"], output["data"])
        parts.append(packed)
        plain = {name: value for name, value in output.items() if name != "data"}
        outputs.append({**plain, "parameters": {"binary_data_size": len(packed)}})
    head = msgspec.json.encode({**answer, "outputs": outputs})
    return b"".join([head, *parts]), len(head)


def _binary_size(tensor: Any) -> int | None:
    """Bytes of a tensor behind the JSON; None if its data stand in the JSON."""
    parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0 or "data" in tensor:
        raise _refused("a tensor has no size, or data twice", FieldError("inputs", shown(size), "a number of bytes"))
    return size


def _values(tensor: Mapping[str, Any], data: bytes, size: int) -> list[Any]:
    """The elements of one tensor; not-a-number is a missing value."""
    name, datatype = str(tensor.get("name")), tensor.get("datatype")
    if len(data) != size:
        raise _refused("a tensor is cut short", FieldError(name, f"{len(data)} bytes", f"{size} bytes"))
    if datatype == "BYTES":
        return _texts(name, data)
    form = np.dtype(_NUMBERS[datatype]) if isinstance(datatype, str) and datatype in _NUMBERS else None
    if form is None or size % form.itemsize:
        raise _refused(
            "a tensor's bytes are not of its datatype",
            FieldError(name, f"{size} bytes of {shown(datatype)}", f"one of BYTES, {', '.join(_NUMBERS)}"),
        )
    array = np.frombuffer(data, dtype=form)
    values: list[Any] = array.tolist()
    if form.kind == "f" and np.isnan(array).any():
        return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
    return values


def _texts(name: str, data: bytes) -> list[str]:
    """UTF-8 texts, each with its length in front."""
    texts: list[str] = []
    place = 0
    try:
        while place < len(data):
            (length,) = struct.unpack_from("<I", data, place)
            place += 4 + length
            if place > len(data):
                raise _refused("a text is cut short", FieldError(name, f"{length} bytes", "the bytes that are there"))
            texts.append(data[place - length : place].decode("utf-8"))
    except (struct.error, UnicodeDecodeError) as error:
        raise _refused(
            "a tensor holds no text", FieldError(name, "other bytes", "UTF-8, each with its length")
        ) from error
    return texts


def _wanted(request: Mapping[str, Any], names: Sequence[str]) -> set[str]:
    """Outputs that are asked for in binary form, one by one or all together."""
    everything = _says_yes(request, "binary_data_output")
    asked = {
        entry["name"]: entry for entry in request.get("outputs") or [] if isinstance(entry, dict) and "name" in entry
    }
    return {
        name for name in names if (_says_yes(asked[name], "binary_data", everything) if name in asked else everything)
    }


def _says_yes(owner: Mapping[str, Any], name: str, default: Any = False) -> bool:
    parameters = owner.get("parameters")
    return bool(parameters.get(name, default)) if isinstance(parameters, dict) else bool(default)


def _packed(datatype: str, values: Sequence[Any]) -> bytes:
    if datatype != "BYTES":
        return np.array(values, dtype=_NUMBERS[datatype]).tobytes()
    texts = [str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _shown_bytes(value: bytes) -> str:
    """A header's value for people, shortened."""
    return repr(value.decode("latin-1")[:40])


def _refused(what: str, *errors: FieldError) -> RefusedRequestError:
    return RefusedRequestError(422, "not-an-inference-request", what, cure=_CURE, errors=errors)
