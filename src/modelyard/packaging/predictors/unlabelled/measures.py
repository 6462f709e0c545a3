"""Measures of how strange an encoded row is, each on a scale of its own: larger for stranger rows."""

from collections.abc import Mapping
from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.distances import local_outlier_factors
from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.forest import ForestArrays, ForestPredictor
from modelyard.packaging.predictors.kernel import KernelPredictor
from modelyard.packaging.predictors.predictor import Matrix

__all__ = ["BoundaryMeasure", "DensityMeasure", "DistanceMeasure", "IsolationMeasure", "Measure"]

_LEAST_FACTOR = 1e-12


class Measure(Protocol):
    """One detector as numbers."""

    kind: ClassVar[str]
    """Name among the package's files."""

    @property
    def features(self) -> int:
        """Number of features of a row."""

    def raw(self, matrix: Matrix) -> Matrix:
        """How strange each row is, shape (rows,)."""

    def to_files(self) -> dict[str, bytes]:
        """The numbers as files: name to content."""

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The inverse of :meth:`to_files`.

        Raises
        ------
        IntegrityError
            If a file is missing or cannot be read.
        """


class DistanceMeasure:
    """How far a row is from the middle of all.

    Parameters
    ----------
    middle
        Shape (features,).
    """

    kind: ClassVar[str] = "distance"
    _file: ClassVar[str] = "distance.npz"

    def __init__(self, middle: npt.ArrayLike) -> None:
        self._middle = np.asarray(middle, dtype=np.float64).reshape(-1)

    @property
    def features(self) -> int:
        """Number of features of a row."""
        return len(self._middle)

    def raw(self, matrix: Matrix) -> Matrix:
        """The Euclidean distance."""
        return np.asarray(np.sqrt(((matrix - self._middle) ** 2).sum(axis=1)))

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        return {self._file: archive_of({"middle": self._middle})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        return cls(arrays_in(files, cls._file, ("middle",))["middle"])


class IsolationMeasure:
    """How soon random cuts isolate a row: ``2 ** -(mean path length / usual one)`` (Liu, Ting and Zhou, 2008, equation 2).

    Parameters
    ----------
    trees
        A forest whose leaves say how long the path to them is, and on through the rows that fell into them.
    usual
        The path length of an unsuccessful search in a tree of as many rows.
    """

    kind: ClassVar[str] = "isolation"
    _file: ClassVar[str] = "isolation.npz"

    def __init__(self, trees: ForestArrays | ForestPredictor, usual: float) -> None:
        self._forest = trees if isinstance(trees, ForestPredictor) else ForestPredictor(trees)
        if not usual > 0 or self._forest.outputs != 1:
            raise ValueError("a forest of path lengths and a usual one above 0 are needed")
        self._usual = usual

    @property
    def features(self) -> int:
        """Number of features of a row."""
        return self._forest.features or 0

    def raw(self, matrix: Matrix) -> Matrix:
        """From 0 to 1."""
        return np.asarray(2.0 ** -(self._forest.predict_matrix(matrix)[:, 0] / self._usual))

    def to_files(self) -> dict[str, bytes]:
        """The forest's archive, and one for the usual length."""
        return {**self._forest.to_files(), self._file: archive_of({"usual": np.array([self._usual])})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        try:
            return cls(
                ForestPredictor.from_files(files), float(arrays_in(files, cls._file, ("usual",))["usual"].item())
            )
        except ValueError as error:
            raise damaged(cls._file, repr(error)) from error


class DensityMeasure:
    """The logarithm of the local outlier factor (Breunig et al., 2000).

    Parameters
    ----------
    known, reach, density, neighbours
        As :func:`modelyard.features.exact.distances.local_outlier_factors` has them.
    """

    kind: ClassVar[str] = "density"
    _file: ClassVar[str] = "density.npz"

    def __init__(self, known: npt.ArrayLike, reach: npt.ArrayLike, density: npt.ArrayLike, neighbours: int) -> None:
        self._known = np.asfortranarray(known, dtype=np.float64)
        self._reach = np.asarray(reach, dtype=np.float64)
        self._density = np.asarray(density, dtype=np.float64)
        if self._known.ndim != 2 or not self._reach.shape == self._density.shape == (len(self._known),):
            raise ValueError("one reach and one density for each known row are needed")
        if len(self._known) == 0 or neighbours < 1:
            raise ValueError("at least one row and one neighbour are needed")
        self._neighbours = neighbours

    @property
    def features(self) -> int:
        """Number of features of a row."""
        return int(self._known.shape[1])

    def raw(self, matrix: Matrix) -> Matrix:
        """0 for a row that lies as densely as its neighbours."""
        factors = local_outlier_factors(matrix, self._known, self._reach, self._density, self._neighbours)
        return np.log(np.maximum(factors, _LEAST_FACTOR))

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        arrays = {"known": self._known, "reach": self._reach, "density": self._density}
        return {self._file: archive_of({**arrays, "neighbours": np.array([self._neighbours])})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        arrays = arrays_in(files, cls._file, ("known", "reach", "density", "neighbours"))
        try:
            return cls(arrays["known"], arrays["reach"], arrays["density"], int(arrays["neighbours"].item()))
        except ValueError as error:
            raise damaged(cls._file, repr(error)) from error


class BoundaryMeasure:
    """How far outside a smooth boundary a row lies: the negative weighted sum of kernels (Schölkopf et al., 2001).

    Parameters
    ----------
    kernel
        With one output: the sum, its weights turned so that stranger is more.
    """

    kind: ClassVar[str] = "boundary"

    def __init__(self, kernel: KernelPredictor) -> None:
        if kernel.outputs != 1:
            raise ValueError("one sum is needed")
        self._kernel = kernel

    @property
    def features(self) -> int:
        """Number of features of a row."""
        return self._kernel.features or 0

    def raw(self, matrix: Matrix) -> Matrix:
        """At most 0."""
        return self._kernel.predict_matrix(matrix)[:, 0]

    def to_files(self) -> dict[str, bytes]:
        """The kernel's archive."""
        return self._kernel.to_files()

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        kernel = KernelPredictor.from_files(files)
        if kernel.outputs != 1:
            raise damaged(", ".join(sorted(files)), f"{kernel.outputs} sums")
        return cls(kernel)
