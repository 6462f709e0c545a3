"""An estimator of scikit-learn's API as it is, in skops' format."""

import json
import zipfile
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from modelyard.core import GateRefusedError, IntegrityError, MissingExtraError, StateError, installed_versions
from modelyard.packaging.predictors.files import damaged, file_of, json_of
from modelyard.packaging.predictors.opaque.trust import SkopsTrust
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["SkopsPredictor"]

_ESTIMATOR = "estimator.skops"
_SETTINGS = "skops.json"
_LIBRARY = "scikit-learn"


class SkopsPredictor:
    """Calls ``predict_proba`` (classes) or ``predict`` (values) of the estimator; a row costs what a table costs.

    Parameters
    ----------
    estimator
        The estimator.
    content
        Its file.
    settings
        ``is_classes``, ``features`` (None if the estimator does not say), ``outputs``, and the ``library``'s version.
    types
        What skops does not trust by itself, and this file needs.
    """

    kind: ClassVar[str] = "skops"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, estimator: Any, content: bytes, settings: Mapping[str, Any], types: tuple[str, ...]) -> None:
        self._estimator = estimator
        self._content = content
        self._settings = dict(settings)
        self.types = types

    @classmethod
    def of(cls, estimator: Any, *, is_classes: bool, family: str) -> Self:
        """The predictor of a fitted estimator.

        Raises
        ------
        MissingExtraError
            If skops is not installed.
        StateError
            If skops cannot keep the estimator.
        """
        io = _skops()
        try:
            content = io.dumps(estimator)
            types = tuple(sorted(io.get_untrusted_types(data=content)))
            again = io.loads(content, trusted=types)
        except (TypeError, ValueError, AttributeError, ImportError, io.exceptions.UnsupportedTypeException) as error:
            raise StateError(
                "this estimator has neither a native form nor one that skops can keep, so it cannot be packaged",
                where=f"family {family!r}",
                got=f"{type(estimator).__module__}.{type(estimator).__name__}: {error}",
                cure="Choose a winner among the families that ship with modelyard, or keep only arrays, numbers, text and "
                "estimators in its attributes",
            ) from error
        classes = len(estimator.classes_) if is_classes else 0
        settings = {
            "is_classes": is_classes,
            "features": getattr(estimator, "n_features_in_", None),
            "outputs": classes if classes > 2 else 1,
            "library": installed_versions([_LIBRARY]).get(_LIBRARY, ""),
        }
        return cls(again, content, settings, types)

    @property
    def features(self) -> int | None:
        """Number of features of a row; None if the estimator does not say."""
        given = self._settings["features"]
        return None if given is None else int(given)

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return int(self._settings["outputs"])

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        if not len(matrix):
            return np.empty((0, self.outputs))
        if not self._settings["is_classes"]:
            return np.asarray(self._estimator.predict(matrix), dtype=np.float64).reshape(-1, 1)
        shares = np.asarray(self._estimator.predict_proba(matrix), dtype=np.float64)
        return shares[:, 1:] if shares.shape[1] == 2 else shares

    def to_files(self) -> dict[str, bytes]:
        """Skops' own file, and what must be known before it is read."""
        return {_ESTIMATOR: self._content, _SETTINGS: json.dumps(self._settings).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], trust: SkopsTrust | None = None) -> Self:
        """Read what :meth:`to_files` wrote, if the operator trusts it.

        Raises
        ------
        GateRefusedError
            If nobody said yes, the file needs types that nobody allowed, or scikit-learn is of another version.
        MissingExtraError
            If skops is not installed.
        IntegrityError
            If a file is missing or damaged.
        """
        if trust is None:
            raise GateRefusedError(
                "this package holds an estimator that must be unpickled piece by piece (skops), which nobody has allowed",
                where=f"model/{_ESTIMATOR}",
                got="no word from the operator",
                cure="If you trust who built it: --allow-skops known, or MODELYARD_ALLOW_SKOPS=known in the environment",
            )
        content, settings = file_of(files, _ESTIMATOR), json_of(files, _SETTINGS)
        _require_version(str(settings.get("library", "")))
        io = _skops()
        try:
            types = tuple(sorted(io.get_untrusted_types(data=content)))
            trust.require(types)
            return cls(io.loads(content, trusted=types), content, settings, types)
        except (KeyError, TypeError, ValueError, AttributeError, ImportError, OSError, zipfile.BadZipFile) as error:
            raise damaged(_ESTIMATOR, f"{type(error).__name__}: {error}") from error


def _skops() -> Any:
    """The library, when it is needed."""
    try:
        import skops.io
        import skops.io.exceptions
    except ImportError as error:
        raise MissingExtraError("skops", extra="skops", needed_for="an estimator without a native form") from error
    return skops.io


def _require_version(packaged: str) -> None:
    """Refuse another version than the one that wrote the file, patches apart: attributes may mean something else."""
    here = installed_versions([_LIBRARY]).get(_LIBRARY, "none")
    if here.split(".")[:2] != packaged.split(".")[:2]:
        raise IntegrityError(
            f"the package's estimator was made with another version of {_LIBRARY}",
            where=f"model/{_SETTINGS}",
            got=f"{here} here, {packaged} there",
            cure="Install the versions that the package's requirements.txt names",
        )
