"""Adam (Kingma and Ba, 2015) with decoupled decay of weights (Loshchilov and Hutter, 2019), in single precision.

All parameters of a network lie in one vector, so that a step is a few operations on it; layers are views of that vector.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Descent"]

Single = npt.NDArray[np.float32]

_FIRST, _SECOND = 0.9, 0.95
_LEAST = np.float32(1e-8)


class Descent:
    """Parameters, their gradients, and the steps from one to the next.

    Parameters
    ----------
    shapes
        Of each parameter.

    Attributes
    ----------
    values, gradients
        One array for each of ``shapes``; whoever learns writes the gradients, and :meth:`step` changes the values.
    rates
        Of the same shapes: times the learning rate; 1 at the start.
    decaying
        Of the same shapes: 1 where values decay; 0 at the start.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        size = sum(math.prod(shape) for shape in shapes)
        self._values, self._gradients, self._rates, self._decaying, self._mean, self._square = (
            np.zeros(size, dtype=np.float32) for _ in range(6)
        )
        self._rates[:] = 1.0
        self.values, self.gradients = _views(self._values, shapes), _views(self._gradients, shapes)
        self.rates, self.decaying = _views(self._rates, shapes), _views(self._decaying, shapes)
        self._steps = 0

    def step(self, rate: float, decay: float) -> None:
        """One step against the gradients, which are spent by it; values that decay lose that share of themselves, times the rate."""
        self._steps += 1
        self._mean *= np.float32(_FIRST)
        self._mean += np.float32(1 - _FIRST) * self._gradients
        np.square(self._gradients, out=self._gradients)
        self._gradients *= np.float32(1 - _SECOND)
        self._square *= np.float32(_SECOND)
        self._square += self._gradients
        size = np.sqrt(self._square / np.float32(1 - _SECOND**self._steps))
        size += _LEAST
        move = self._mean / size
        move *= self._rates
        move *= np.float32(rate / (1 - _FIRST**self._steps))
        if decay:
            self._values -= np.float32(rate * decay) * self._values * self._decaying
        self._values -= move


def _views(vector: Single, shapes: Sequence[tuple[int, ...]]) -> list[Single]:
    """The vector's parts in these shapes."""
    views, start = list[Single](), 0
    for shape in shapes:
        end = start + math.prod(shape)
        views.append(vector[start:end].reshape(shape))
        start = end
    return views
