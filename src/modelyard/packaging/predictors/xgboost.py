"""XGBoost through its C interface: the model's own binary JSON, and in-place prediction."""

import ctypes
import functools
import json
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import numpy as np

from modelyard.core import IntegrityError
from modelyard.packaging.predictors.files import damaged, file_of, json_of
from modelyard.packaging.predictors.native_library import load_library
from modelyard.packaging.predictors.predictor import SINGLE_TOLERANCE, Matrix
from modelyard.packaging.predictors.walking import SingleSums, single_sums

__all__ = ["XGBoostPredictor"]

_MODEL = "xgboost.ubj"
_SETTINGS = "xgboost.json"
_VALUES, _CONTRIBUTIONS = 0, 2  # kinds of prediction in XGBoost's C interface
_DENSE = b'{"missing": NaN, "nthread": 1}'


class XGBoostPredictor:
    """A booster in XGBoost's shared library; ``xgboost`` itself is not imported.

    XGBoost compares and answers in single precision, as it does in training; the tolerance says so. Its call takes 70
    microseconds for one row before it looks at a tree, so single rows of models with one output are answered without
    it, by the same comparisons and sums, if that gives the same bits on rows made of the trees' own thresholds.

    Parameters
    ----------
    model
        The booster as ``Booster.save_raw("ubj")`` gives it.
    rounds
        Boosting rounds to use; 0 for all. Early stopping leaves rounds that must not be used.

    Raises
    ------
    IntegrityError
        If XGBoost cannot read the model.
    ModelyardError
        If the library is not installed.
    """

    kind: ClassVar[str] = "xgboost"
    tolerance: ClassVar[float] = SINGLE_TOLERANCE

    def __init__(self, model: bytes, rounds: int = 0) -> None:
        self._model = model
        self._rounds = rounds
        self._library = _library()
        self._booster = self._load(model)
        self._features = self._count_features()
        self._request = _request(rounds)
        self._reasons = _request(rounds, kind=_CONTRIBUTIONS)
        self._row = (ctypes.c_double * self._features)()
        self._row_interface = _interface(ctypes.addressof(self._row), 1, self._features)
        self._lock = threading.Lock()
        self._outputs = len(self._row_by_library([0.0] * self._features))

    @property
    def features(self) -> int | None:
        """Number of features the booster was trained on."""
        return self._features

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return self._outputs

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        return self._answer_row(features)

    @functools.cached_property
    def _answer_row(self) -> Callable[[list[float]], list[float]]:
        """The quicker way if it gives the same bits; made when the first single row comes."""
        quick = self._quick()
        return quick.predict_row if quick is not None and self._agrees(quick) else self._row_by_library

    def _quick(self) -> SingleSums | None:
        """The same sums without the library's call; None for models that are not made of plain sums."""
        length, content = ctypes.c_uint64(0), ctypes.c_char_p()
        arguments = (b'{"format": "json"}', ctypes.byref(length), ctypes.byref(content))
        with self._lock:
            self._check(self._library.XGBoosterSaveModelToBuffer(self._booster, *arguments))
            text = ctypes.string_at(content, length.value)
        return single_sums(json.loads(text), self._rounds, self._library)

    def _agrees(self, quick: SingleSums) -> bool:
        """Whether the quicker way gives the library's bits, on rows of thresholds and gaps."""
        outputs = [quick.predict_row(row) for row in quick.probes.tolist()]
        return np.array_equal(np.array(outputs), self.predict_matrix(quick.probes))

    def _row_by_library(self, features: list[float]) -> list[float]:
        """Outputs of one row; the buffer is made once, and a lock keeps threads from sharing it."""
        with self._lock:
            self._row[:] = features  # type: ignore[assignment]  # a list of floats is one of floats or doubles
            pointer, length = self._predict(self._row_interface)
            return pointer[:length]

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        rows = len(matrix)
        if rows == 0:
            return np.empty((0, self._outputs))
        whole = np.ascontiguousarray(matrix, dtype=np.float64)
        with self._lock:
            pointer, length = self._predict(_interface(whole.ctypes.data, rows, whole.shape[1]))
            answers = np.ctypeslib.as_array(pointer, shape=(length,)).astype(np.float64)
        return answers.reshape(rows, self._outputs)

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix:
        """TreeSHAP's amounts and the base in the last place, shape (rows, outputs, features + 1); sums are raw scores.

        The background is XGBoost's own: the rows that each tree learned from.
        """
        del background
        whole = np.ascontiguousarray(matrix, dtype=np.float64)
        rows = ctypes.c_void_p()
        interface = _interface(whole.ctypes.data, *whole.shape)
        self._check(self._library.XGDMatrixCreateFromDense(interface, _DENSE, ctypes.byref(rows)))
        try:
            with self._lock:
                pointer, length = self._ask(self._library.XGBoosterPredictFromDMatrix, rows, self._reasons)
                found = np.ctypeslib.as_array(pointer, shape=(length,)).astype(np.float64)
        finally:
            self._library.XGDMatrixFree(rows)
        return found.reshape(len(whole), self._outputs, self._features + 1)

    def to_files(self) -> dict[str, bytes]:
        """XGBoost's own binary JSON, and the number of rounds to use."""
        return {_MODEL: self._model, _SETTINGS: json.dumps({"rounds": self._rounds}).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        rounds = json_of(files, _SETTINGS).get("rounds")
        if not isinstance(rounds, int):
            raise damaged(_SETTINGS, f"rounds {rounds!r}")
        return cls(file_of(files, _MODEL), rounds)

    def _load(self, model: bytes) -> ctypes.c_void_p:
        """The booster, freed with this object."""
        booster = ctypes.c_void_p()
        self._check(self._library.XGBoosterCreate(None, ctypes.c_uint64(0), ctypes.byref(booster)))
        weakref.finalize(self, self._library.XGBoosterFree, booster)
        self._check(self._library.XGBoosterLoadModelFromBuffer(booster, model, ctypes.c_uint64(len(model))))
        self._check(self._library.XGBoosterSetParam(booster, b"nthread", b"1"))
        return booster

    def _count_features(self) -> int:
        number = ctypes.c_uint64(0)
        self._check(self._library.XGBoosterGetNumFeature(self._booster, ctypes.byref(number)))
        return number.value

    def _predict(self, interface: bytes) -> "tuple[ctypes._Pointer[ctypes.c_float], int]":
        """The answers to rows in memory, and their number."""
        return self._ask(self._library.XGBoosterPredictFromDense, interface, self._request, None)

    def _ask(
        self, question: "ctypes._FuncPointer", *given: bytes | ctypes.c_void_p | None
    ) -> "tuple[ctypes._Pointer[ctypes.c_float], int]":
        """The answers and their number; the memory is XGBoost's, and valid until this thread's next call."""
        shape = ctypes.POINTER(ctypes.c_uint64)()
        dimensions = ctypes.c_uint64(0)
        answers = ctypes.POINTER(ctypes.c_float)()
        self._check(
            question(self._booster, *given, ctypes.byref(shape), ctypes.byref(dimensions), ctypes.byref(answers))
        )
        length = 1
        for size in shape[: dimensions.value]:
            length *= size
        return answers, length

    def _check(self, status: int) -> None:
        if status != 0:
            message = self._library.XGBGetLastError().decode("utf-8", errors="replace")
            raise IntegrityError(
                "XGBoost cannot use the model or the rows",
                where=f"model/{_MODEL}",
                got=message.splitlines()[0] if message else "",
                cure="Build the package again from its run",
            )


def _request(rounds: int, kind: int = _VALUES) -> bytes:
    """What is asked of the booster: outputs after the link, or contributions to the sum before it; missing is NaN."""
    request = {
        "type": kind,
        "training": False,
        "iteration_begin": 0,
        "iteration_end": rounds,
        "missing": float("nan"),
        "strict_shape": False,
        "cache_id": 0,
    }
    return json.dumps(request).encode()  # XGBoost's parser wants NaN spelt as Python spells it


def _interface(address: int, rows: int, columns: int) -> bytes:
    """NumPy's array interface of a C-ordered double matrix, as XGBoost reads it."""
    return json.dumps({"data": [address, True], "shape": [rows, columns], "typestr": "<f8", "version": 3}).encode()


@functools.cache
def _library() -> ctypes.CDLL:
    """XGBoost's shared library."""
    library = load_library("xgboost", "libxgboost")
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library
