"""Small networks of dense layers, as weights."""

import itertools
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from modelyard.features.exact.activations import Activation, activated, squashed
from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.linear import LinearPredictor, Link
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix

__all__ = ["NetworkPredictor"]

_FILE = "network.npz"
_LINKS = tuple(Link)
_ACTIVATIONS = tuple(Activation)
_SQUASH = "centers", "factors"


class NetworkPredictor:
    """Features within bounds, hidden layers, and a linear model of the last one.

    Parameters
    ----------
    weights, offsets
        By layer: shapes (inputs, units) and (units,); the last layer's are those of the linear model.
    bound
        Features beyond ± this count as this.
    link
        From the last layer to the output.
    activation
        Of the hidden units.
    squash
        Centres and factors of the features, shape (features,) each, by which they are scaled within their bounds and then
        smoothly clipped; None leaves them.
    """

    kind: ClassVar[str] = "network"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(
        self,
        weights: Sequence[Matrix],
        offsets: Sequence[Matrix],
        *,
        bound: float,
        link: Link,
        activation: Activation = Activation.RELU,
        squash: tuple[Matrix, Matrix] | None = None,
    ) -> None:
        weights = [np.ascontiguousarray(into) for into in weights]  # products depend on the order in memory, by a bit
        layers = list(zip(weights, offsets, strict=True))
        if not layers or any(into.ndim != 2 or into.shape[1:] != off.shape for into, off in layers):
            raise ValueError("one offset for each unit is needed")
        if any(before.shape[1] != after.shape[0] for before, after in itertools.pairwise(weights)):
            raise ValueError("the layers do not fit together")
        if squash is not None and any(part.shape != weights[0].shape[:1] for part in squash):
            raise ValueError("one centre and one factor for each feature are needed")
        self._layers = layers
        self._bound = bound
        self._link = Link(link)
        self._activation, self._squash = Activation(activation), squash
        self._last = LinearPredictor(weights[-1].T, offsets[-1], self._link)

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return int(self._layers[0][0].shape[0])

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return self._last.outputs

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        outputs: list[float] = self.predict_matrix(np.array([features]))[0].tolist()
        return outputs

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        flow = np.clip(matrix, -self._bound, self._bound)
        if self._squash is not None:
            flow = squashed(flow, *self._squash)
        for weights, offsets in self._layers[:-1]:
            flow = activated(self._activation, flow @ weights + offsets)
        return self._last.predict_matrix(flow)

    def to_files(self) -> dict[str, bytes]:
        """One archive: settings, two arrays for each layer, and two if features are squashed."""
        places = _LINKS.index(self._link), _ACTIVATIONS.index(self._activation)
        arrays = {"settings": np.array([self._bound, *map(float, places)])}
        if self._squash is not None:
            arrays |= dict(zip(_SQUASH, self._squash, strict=True))
        for number, (weights, offsets) in enumerate(self._layers):
            arrays |= {f"weights_{number}": weights, f"offsets_{number}": offsets}
        return {_FILE: archive_of(arrays)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote."""
        arrays = arrays_in(files, _FILE, ("settings", "weights_0", "offsets_0"))
        try:
            bound, link, *activation = arrays["settings"].tolist()  # packages of earlier versions know one activation
            depth = sum(name.startswith("weights_") for name in arrays)
            weights, offsets = (
                [arrays[f"{part}_{number}"] for number in range(depth)] for part in ("weights", "offsets")
            )
            squash = (arrays[_SQUASH[0]], arrays[_SQUASH[1]]) if _SQUASH[0] in arrays else None
            unit = _ACTIVATIONS[int(activation[0])] if activation else Activation.RELU
            return cls(weights, offsets, bound=bound, link=_LINKS[int(link)], activation=unit, squash=squash)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error
