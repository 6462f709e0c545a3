"""Bodies of JSON, decoded or refused."""

import json
import math
from typing import Any

import msgspec

from modelyard.serving.formats.problems import FieldError, RefusedRequestError

__all__ = ["decode_json"]

_PYTHON_NUMBERS = {"NaN": None, "Infinity": math.inf, "-Infinity": -math.inf}


def decode_json(body: bytes, *, as_python: bool = False) -> Any:
    """JSON, or the refusal with the place where it breaks off.

    Parameters
    ----------
    as_python
        Take Python's ``NaN`` for null, and its ``Infinity`` for a number: MLflow's client writes them.
    """
    try:
        if as_python and (b"NaN" in body or b"Infinity" in body):
            return json.loads(body, parse_constant=_PYTHON_NUMBERS.get)
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RefusedRequestError(
            400,
            "malformed-json",
            "the body is not valid JSON",
            cure="Send UTF-8 JSON; a missing value is null, since JSON knows no NaN and no infinity",
            errors=[FieldError("", reason[:120], "JSON (RFC 8259)")],
        ) from None
