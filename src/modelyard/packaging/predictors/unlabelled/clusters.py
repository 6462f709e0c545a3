"""How far a row belongs to each cluster: by centres, by a mixture of normal distributions, or by the nearest known row."""

import enum
from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import numpy as np

from modelyard.features.exact.distances import nearest_means
from modelyard.features.exact.memberships import mixture_memberships, spherical_memberships, turned
from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["ClusterPredictor", "GroupRule"]

_FILE = "clusters.npz"
_DIRECTIONS = "directions"


class GroupRule(enum.StrEnum):
    """By what a row belongs to a group."""

    CENTRES = "centres"
    MIXTURE = "mixture"
    NEAREST = "nearest"


_NEEDS: Mapping[GroupRule, tuple[str, ...]] = {
    GroupRule.CENTRES: ("centres", "variance"),
    GroupRule.MIXTURE: ("means", "factors", "weights"),
    GroupRule.NEAREST: ("known", "answers"),
}

_BELONGS: Mapping[GroupRule, Callable[[Matrix, Mapping[str, Matrix]], Matrix]] = {
    GroupRule.CENTRES: lambda rows, own: spherical_memberships(rows, own["centres"], float(own["variance"].item())),
    GroupRule.MIXTURE: lambda rows, own: mixture_memberships(rows, own["means"], own["factors"], own["weights"]),
    GroupRule.NEAREST: lambda rows, own: nearest_means(rows, own["known"], own["answers"], 1),
}


class ClusterPredictor:
    """One number between 0 and 1 for each cluster, which sum to 1; where rows may be in none, the last is for none.

    Parameters
    ----------
    rule
        By what a row belongs to a group.
    arrays
        ``centres`` (groups, features) and ``variance``; ``means`` (groups, features), ``factors`` (groups, features,
        features) and ``weights`` (groups,); or ``known`` (rows, features) and ``answers`` (rows, groups). ``directions``
        (encoded features, features), if rows are turned first.

    Raises
    ------
    ValueError
        If arrays are missing or do not fit together.
    """

    kind: ClassVar[str] = "clusters"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, rule: GroupRule, arrays: Mapping[str, Matrix]) -> None:
        self._rule = rule
        self._arrays = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
        _check_shapes(rule, self._arrays)

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        first = self._arrays[_NEEDS[self._rule][0]]
        return int(self._arrays[_DIRECTIONS].shape[0] if _DIRECTIONS in self._arrays else first.shape[1])

    @property
    def outputs(self) -> int:
        """Number of clusters, and one for none."""
        by_row = self._rule is GroupRule.NEAREST
        return int(self._arrays["answers"].shape[1] if by_row else len(self._arrays[_NEEDS[self._rule][0]]))

    def predict_row(self, features: list[float]) -> list[float]:
        """Memberships of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Memberships of many rows, shape (rows, ``outputs``)."""
        points = turned(matrix, self._arrays[_DIRECTIONS]) if _DIRECTIONS in self._arrays else matrix
        return _BELONGS[self._rule](points, self._arrays)

    def to_files(self) -> dict[str, bytes]:
        """One archive; which arrays it holds says by what rule."""
        return {_FILE: archive_of(self._arrays)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        arrays = arrays_in(files, _FILE)
        rule = next((rule for rule, names in _NEEDS.items() if names[0] in arrays), None)
        if rule is None:
            raise damaged(_FILE, f"arrays {', '.join(sorted(arrays)) or 'none'}")
        try:
            return cls(rule, arrays)
        except ValueError as error:
            raise damaged(_FILE, str(error)) from error


def _check_shapes(rule: GroupRule, arrays: Mapping[str, Matrix]) -> None:
    """Refuse arrays that do not fit together."""
    needed = _NEEDS[rule]
    unknown = sorted(arrays.keys() ^ {*needed, *({_DIRECTIONS} & arrays.keys())})
    if unknown:
        raise ValueError(f"arrays that are missing or too many: {', '.join(unknown)}")
    first = arrays[needed[0]]
    if first.ndim != 2 or 0 in first.shape:
        raise ValueError(f"{needed[0]} must have rows and features")
    rows, features = first.shape
    if _DIRECTIONS in arrays and arrays[_DIRECTIONS].shape[1:] != (features,):
        raise ValueError("directions do not lead to the features")
    if not _FITS[rule](arrays, (rows, features)):
        raise ValueError(f"arrays of {rule} that do not fit together")


def _is_mixture(arrays: Mapping[str, Matrix], shape: tuple[int, int]) -> bool:
    rows, features = shape
    if arrays["factors"].shape != (rows, features, features) or arrays["weights"].shape != (rows,):
        return False
    return bool((arrays["weights"] > 0).all() and (np.diagonal(arrays["factors"], axis1=1, axis2=2) > 0).all())


def _is_round(arrays: Mapping[str, Matrix], shape: tuple[int, int]) -> bool:
    del shape
    return arrays["variance"].size == 1 and bool(arrays["variance"].item() > 0)


def _is_answered(arrays: Mapping[str, Matrix], shape: tuple[int, int]) -> bool:
    return arrays["answers"].ndim == 2 and len(arrays["answers"]) == shape[0]


_FITS: Mapping[GroupRule, Callable[[Mapping[str, Matrix], tuple[int, int]], bool]] = {
    GroupRule.CENTRES: _is_round,
    GroupRule.MIXTURE: _is_mixture,
    GroupRule.NEAREST: _is_answered,
}
