"""Whether an ONNX file answers as its package does, by ONNX Runtime itself."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.features import values as readings
from modelyard.packaging.golden import largest_difference
from modelyard.packaging.onnx.records import MISSING, OnnxParity
from modelyard.packaging.scorer import Scorer
from modelyard.problem import Task

__all__ = ["measure_parity", "onnx_inputs"]

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - moments have no zone here


def measure_parity(
    content: bytes, scorer: Scorer, kinds: Mapping[str, str], requests: Sequence[Mapping[str, Any]]
) -> OnnxParity:
    """Score requests with both, and compare scores and decisions."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, onnx_inputs(requests, kinds))
    expected, tolerance = scorer.score_rows(requests), scorer.golden.tolerance
    score = outputs[0]
    if scorer.task is Task.REGRESSION:
        apart = np.abs(score - expected) / np.maximum(1.0, np.abs(expected))
        differ = int((~(apart <= tolerance)).sum())
    else:
        differ = sum(one != other for one, other in zip(outputs[1].tolist(), scorer.decide(expected), strict=True))
    return OnnxParity(len(requests), largest_difference(score, expected), differ, tolerance)


def onnx_inputs(requests: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """Requests as the file takes them: a column of doubles or of text for each input."""
    return {name: _COLUMNS[kind]([row.get(name) for row in requests]) for name, kind in kinds.items()}


def _numbers(values: Sequence[object]) -> npt.NDArray[Any]:
    return _doubles([readings.number_of(value) for value in values])


def _truths(values: Sequence[object]) -> npt.NDArray[Any]:
    return _doubles([readings.boolean_of(value) for value in values])


def _seconds(values: Sequence[object]) -> npt.NDArray[Any]:
    moments = [readings.moment_of(value) for value in values]
    return _doubles([None if moment is None else (moment - _EPOCH).total_seconds() for moment in moments])


def _texts(values: Sequence[object]) -> npt.NDArray[Any]:
    names = [readings.category_of(value) for value in values]
    return np.array([[MISSING if name is None else name] for name in names], dtype=object)


def _doubles(values: Sequence[float | None]) -> npt.NDArray[Any]:
    return np.array([[np.nan if value is None else float(value)] for value in values], dtype=np.float64)


_COLUMNS = {"number": _numbers, "boolean": _truths, "seconds": _seconds, "text": _texts}
