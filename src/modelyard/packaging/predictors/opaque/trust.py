"""Whose types may be made from a file: a constant here, what the operator adds, and nothing that a package says."""

import dataclasses
import os
from collections.abc import Iterable

from modelyard.core import ConfigError, GateRefusedError, Record

__all__ = ["KNOWN_TYPES", "SkopsTrust", "declare_trust", "operators_trust"]

_VARIABLE = "MODELYARD_ALLOW_SKOPS"
_KNOWN = "known"

KNOWN_TYPES = frozenset(
    {
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""Types of scikit-learn that its estimators are made of, beside those that skops itself trusts.

A list that came with the package would be the attacker's (GHSA-w582-9x45-8mpx was that). Some of these hold raw memory, so
that a made-up file can end the process: they are read only after the digests were found right.
"""


@dataclasses.dataclass(frozen=True)
class SkopsTrust(Record):
    """An operator's yes to files of skops.

    Parameters
    ----------
    types
        Full names of classes that may be made beside :data:`KNOWN_TYPES`, such as one's own estimator's.
    """

    types: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "SkopsTrust":
        """The yes in words: ``known``, or names of further types, comma between.

        >>> SkopsTrust.parse("known, my_models.Stack")
        SkopsTrust(types=('my_models.Stack',))

        Raises
        ------
        ConfigError
            If a name is no full name of a class.
        """
        names = [name.strip() for name in text.split(",") if name.strip()]
        wrong = [name for name in names if name != _KNOWN and "." not in name]
        if wrong or not names:
            raise ConfigError(
                "which types may be made from a skops file is not clear",
                where="--allow-skops",
                got=repr(text),
                cure="Say known, or full names of classes such as my_models.Stack, comma between",
            )
        return cls(tuple(name for name in names if name != _KNOWN))

    def in_environment(self) -> dict[str, str]:
        """The same yes for another process, as a variable of its environment."""
        return {_VARIABLE: ",".join((_KNOWN, *self.types))}

    def require(self, wanted: Iterable[str]) -> None:
        """Refuse a file that needs other types.

        Raises
        ------
        GateRefusedError
            If one is neither known nor named by the operator.
        """
        strangers = sorted(set(wanted) - KNOWN_TYPES - set(self.types))
        if strangers:
            raise GateRefusedError(
                "the package's estimator is made of types that nobody has allowed",
                where="model/estimator.skops",
                got=", ".join(strangers),
                cure=f"If you trust them: --allow-skops {','.join(strangers)}",
            )


def operators_trust() -> SkopsTrust | None:
    """What the operator has said for this process, in the variable ``MODELYARD_ALLOW_SKOPS``; None for nothing.

    Raises
    ------
    ConfigError
        If it cannot be understood.
    """
    said = os.environ.get(_VARIABLE)
    return SkopsTrust.parse(said) if said else None


def declare_trust(text: str | None) -> None:
    """Say it for this process and those that it starts; None says nothing. For the edges of a process only.

    Raises
    ------
    ConfigError
        As :meth:`SkopsTrust.parse`.
    """
    if text is not None:
        SkopsTrust.parse(text)
        os.environ[_VARIABLE] = text
