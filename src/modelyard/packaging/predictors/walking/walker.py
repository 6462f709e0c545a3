"""One row through all trees at once, in LightGBM's shared library."""

import ctypes
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import ModelyardError
from modelyard.packaging.predictors.lightgbm import LEAVES, NativeBooster, lightgbm_library
from modelyard.packaging.predictors.walking.trees import SCALE, TreeNodes, as_text

__all__ = ["Walker", "can_walk", "walker_of"]

_MOST_NODES = 1 << 20
"""Beyond a million nodes, reading the text takes longer than a start should."""


class Walker:
    """The leaves that rows reach, in any tree whose nodes compare in single precision.

    Threads may share a walker.

    Parameters
    ----------
    trees
        One at least.
    features
        Number of features of a row.

    Raises
    ------
    ValueError
        If the nodes are no trees.
    IntegrityError
        If LightGBM cannot read them.
    ModelyardError
        If LightGBM's library is not installed.
    """

    def __init__(self, trees: Sequence[TreeNodes], features: int) -> None:
        self._booster = NativeBooster(as_text(trees, features), "LightGBM cannot walk the model's trees", "model/")
        self._walk = self._booster.library.LGBM_BoosterPredictForMatSingleRowFast
        counts = [len(tree.leaves) for tree in trees]
        self._starts = np.cumsum([0, *counts[:-1]]).astype(np.float64)
        self._row = (ctypes.c_float * features)()
        self._single = np.ctypeslib.as_array(self._row)
        self._scaled = np.empty(features)
        self._found = np.empty(len(trees))
        self._length = ctypes.c_int64(0)
        self._call = (
            self._booster.fast_rows(LEAVES, features),
            ctypes.c_void_p(self._scaled.ctypes.data),
            ctypes.byref(self._length),
            ctypes.c_void_p(self._found.ctypes.data),
        )
        self._lock = threading.Lock()

    def leaves_of(self, row: list[float]) -> npt.NDArray[np.int64]:
        """For each tree the place of the row's leaf among the leaves of all trees, in order."""
        with self._lock:
            self._row[:] = row  # type: ignore[assignment]  # rounded to single precision on the way
            np.multiply(self._single, SCALE, out=self._scaled, dtype=np.float64)
            self._booster.check(self._walk(*self._call))
            places = self._found + self._starts
        return places.astype(np.int64)


def walker_of(trees: Sequence[TreeNodes], features: int) -> Walker | None:
    """A walker; None where others walk better: beyond a million nodes, or where LightGBM is not installed.

    Packages name LightGBM among their requirements since they use it so; an older one may be served without it.

    Raises
    ------
    ValueError, IntegrityError
        As :class:`Walker`.
    """
    return Walker(trees, features) if can_walk(trees, features) else None


def can_walk(trees: Sequence[TreeNodes], features: int, outputs: int = 1) -> bool:
    """Whether LightGBM is installed and may be given the trees; each is written once for each output."""
    if not features or outputs * sum(len(tree.left) for tree in trees) > _MOST_NODES:
        return False
    try:
        lightgbm_library()
    except ModelyardError:
        return False
    return True
