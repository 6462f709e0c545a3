"""LightGBM through its C interface: the model's own text file, and the single-row call made for serving."""

import ctypes
import functools
import threading
import weakref
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from modelyard.core import IntegrityError
from modelyard.packaging.predictors.files import file_of
from modelyard.packaging.predictors.native_library import load_library
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["LEAVES", "LightGBMPredictor", "NativeBooster", "lightgbm_library"]

_FILE = "lightgbm.txt"
_FLOAT64 = 1  # C_API_DTYPE_FLOAT64
_NORMAL = 0  # C_API_PREDICT_NORMAL: probabilities, or values
LEAVES = 2
"""C_API_PREDICT_LEAF_INDEX: the leaf that is reached in each tree."""
_CONTRIBUTIONS = 3  # C_API_PREDICT_CONTRIB: TreeSHAP, with the base behind the features
_ALL_TREES = -1
_PARAMETERS = (
    b"num_threads=1"  # parallel work belongs to processes, and a pool of threads costs one row more than it saves
)
_CHUNK_ROWS = 1 << 20


class LightGBMPredictor:
    """A booster in LightGBM's shared library; ``lightgbm`` itself is not imported.

    Inputs and outputs are doubles, so outputs equal those of the training pipeline bit for bit.

    Parameters
    ----------
    text
        The model as ``Booster.model_to_string`` gives it.

    Raises
    ------
    IntegrityError
        If LightGBM cannot read the text.
    ModelyardError
        If the library is not installed.
    """

    kind: ClassVar[str] = "lightgbm"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, text: str) -> None:
        self._text = text
        self._booster = NativeBooster(text, "LightGBM cannot use the model or the rows", f"model/{_FILE}")
        self._library, self._check = self._booster.library, self._booster.check
        self._features = self._ask(self._library.LGBM_BoosterGetNumFeature)
        self._outputs = self._ask(self._library.LGBM_BoosterGetNumClasses)
        self._row = (ctypes.c_double * self._features)()
        self._answer = (ctypes.c_double * self._outputs)()
        self._length = ctypes.c_int64(0)
        fast = self._booster.fast_rows(_NORMAL, self._features)
        self._predict = self._library.LGBM_BoosterPredictForMatSingleRowFast
        self._call = (fast, self._row, ctypes.byref(self._length), self._answer)
        self._lock = threading.Lock()

    @property
    def features(self) -> int | None:
        """Number of features the booster was trained on."""
        return self._features

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return self._outputs

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row; the buffers are made once, and a lock keeps threads from sharing them."""
        with self._lock:
            self._row[:] = features  # type: ignore[assignment]  # a list of floats is one of floats or doubles
            self._check(self._predict(*self._call))
            return self._answer[:]

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        answers = np.empty((len(matrix), self._outputs))
        for start in range(0, len(matrix), _CHUNK_ROWS):
            part = np.ascontiguousarray(matrix[start : start + _CHUNK_ROWS], dtype=np.float64)
            self._predict_part(part, answers[start : start + len(part)])
        return answers

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix:
        """TreeSHAP's amounts and the base in the last place, shape (rows, outputs, features + 1); sums are raw scores.

        The background is LightGBM's own: the rows that each tree learned from.
        """
        del background
        found = np.empty((len(matrix), self._outputs, self._features + 1))
        self._predict_part(np.ascontiguousarray(matrix, dtype=np.float64), found, _CONTRIBUTIONS)
        return found

    def to_files(self) -> dict[str, bytes]:
        """LightGBM's own text format."""
        return {_FILE: self._text.encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        return cls(file_of(files, _FILE).decode("utf-8", errors="replace"))

    def _ask(self, question: "ctypes._FuncPointer") -> int:
        """A number that the booster knows."""
        answer = ctypes.c_int(0)
        self._check(question(self._booster.handle, ctypes.byref(answer)))
        return answer.value

    def _predict_part(self, part: Matrix, answers: Matrix, kind: int = _NORMAL) -> None:
        length = ctypes.c_int64(0)
        self._check(
            self._library.LGBM_BoosterPredictForMat(
                self._booster.handle,
                part.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_int(_FLOAT64),
                ctypes.c_int32(part.shape[0]),
                ctypes.c_int32(part.shape[1]),
                ctypes.c_int(1),
                ctypes.c_int(kind),
                ctypes.c_int(0),
                ctypes.c_int(_ALL_TREES),
                _PARAMETERS,
                ctypes.byref(length),
                answers.ctypes.data_as(ctypes.c_void_p),
            )
        )


class NativeBooster:
    """Trees in LightGBM's shared library, freed with this object.

    Parameters
    ----------
    text
        LightGBM's own text format.
    what, where
        What cannot be done if a call fails, and with which file.

    Attributes
    ----------
    library, handle
        For calls of one's own, whose status :meth:`check` takes.

    Raises
    ------
    IntegrityError
        If LightGBM cannot read the text.
    ModelyardError
        If the library is not installed.
    """

    def __init__(self, text: str, what: str, where: str) -> None:
        self._what = what
        self._where = where
        self.library = lightgbm_library()
        self.handle, trees = ctypes.c_void_p(), ctypes.c_int(0)
        self.check(
            self.library.LGBM_BoosterLoadModelFromString(text.encode(), ctypes.byref(trees), ctypes.byref(self.handle))
        )
        weakref.finalize(self, self.library.LGBM_BoosterFree, self.handle)

    def fast_rows(self, kind: int, features: int) -> ctypes.c_void_p:
        """The configuration of the single-row call, parsed once; freed before the booster.

        Parameters
        ----------
        kind
            What is asked, such as :data:`LEAVES`.
        features
            Doubles of a row.
        """
        fast = ctypes.c_void_p()
        self.check(
            self.library.LGBM_BoosterPredictForMatSingleRowFastInit(
                self.handle,
                ctypes.c_int(kind),
                ctypes.c_int(0),
                ctypes.c_int(_ALL_TREES),
                ctypes.c_int(_FLOAT64),
                ctypes.c_int32(features),
                _PARAMETERS,
                ctypes.byref(fast),
            )
        )
        weakref.finalize(self, self.library.LGBM_FastConfigFree, fast)
        return fast

    def check(self, status: int) -> None:
        """Refuse with LightGBM's own words if a call failed."""
        if status != 0:
            raise IntegrityError(
                self._what,
                where=self._where,
                got=self.library.LGBM_GetLastError().decode("utf-8", errors="replace"),
                cure="Build the package again from its run",
            )


@functools.cache
def lightgbm_library() -> ctypes.CDLL:
    """LightGBM's shared library; a ModelyardError if it is not installed."""
    library = load_library("lightgbm", "lib_lightgbm")
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library
