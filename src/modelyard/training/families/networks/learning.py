"""How RealMLP learns (Holzmüller, Grinsztajn and Steinwart, 2024, section 3): gradients by hand, in single precision.

A rate that falls and rises four times, dropout and decay that last for half of the course and then fade.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.features.exact.activations import HIGHEST_EXPONENT, SELU_ALPHA, SELU_SCALE, Activation
from modelyard.training.families.networks.descent import Descent

__all__ = ["Course", "NetworkLearner"]

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]

_BATCH = 256
_LEAST_BATCHES = 4
"""Few rows are dealt into so many batches, so that an epoch has that many steps: measured to be better than one or eight."""

_SCALING_RATE, _OFFSET_RATE = 6.0, 0.1
"""Times the rate of weights."""

_WAVES_BASE = 15.0
_EXPONENT = np.float32(HIGHEST_EXPONENT)
_SCALE, _STEEP = np.float32(SELU_SCALE), np.float32(SELU_SCALE * SELU_ALPHA)


@dataclasses.dataclass(frozen=True)
class Course:
    """What a network is, and how it learns.

    Parameters
    ----------
    units
        Of each hidden layer.
    activation
        ``selu`` or ``mish``.
    rate
        The highest learning rate of weights.
    epochs
        For which the course of the rate is laid out; it may be ended earlier.
    dropout
        Share of hidden units that are left out at a time.
    decay
        Share of a weight that is lost in each step, times the rate.
    """

    units: Sequence[int]
    activation: Activation
    rate: float
    epochs: int
    dropout: float
    decay: float


class NetworkLearner:
    """A network while it learns.

    Each input is scaled by a factor that is learnt. Weights are drawn from N(0, 1), and what comes of them is divided by the
    root of the layer's width (the neural tangent parametrisation); the last layer begins at 0.

    Parameters
    ----------
    matrix
        Inputs of about one size, shape (rows, features).
    goals
        Shape (rows, outputs): 0 and 1 for each class, or values about 0.
    weight
        Of each row, 1 on average.
    is_classes
        True for cross entropy, False for squared error.
    seed
        Of the first weights, the order of rows and the units left out.
    """

    def __init__(
        self, matrix: Single, goals: Single, weight: Single, course: Course, *, is_classes: bool, seed: int
    ) -> None:
        self._matrix, self._goals, self._weight = matrix, goals, weight
        self._course, self._is_classes = course, is_classes
        self._random = np.random.default_rng(seed)
        self._batch = min(_BATCH, max(1, len(matrix) // _LEAST_BATCHES))
        self._batches = len(matrix) // self._batch
        self._steps = 0
        widths = [matrix.shape[1], *course.units, goals.shape[1]]
        layers = [((before, after), (after,)) for before, after in itertools.pairwise(widths)]
        self._descent = Descent([(widths[0],), *itertools.chain.from_iterable(layers)])
        self._shrinks = [np.float32(1 / math.sqrt(width)) for width in widths[:-1]]
        self._begin()

    def epoch(self) -> None:
        """Once through the rows, but for a last batch that would be smaller than the others."""
        order = self._random.permutation(len(self._matrix))
        for start in range(0, self._batches * self._batch, self._batch):
            rows = order[start : start + self._batch]
            self._learn(self._matrix[rows], self._goals[rows], self._weight[rows])

    def layers(self) -> tuple[list[Array], list[Array]]:
        """Weights and offsets as they are used, the inputs' factors and the divisions in them; in double precision."""
        factors, *rest = (part.astype(np.float64) for part in self._descent.values)
        weights = [part * float(shrink) for part, shrink in zip(rest[::2], self._shrinks, strict=True)]
        return [factors[:, np.newaxis] * weights[0], *weights[1:]], rest[1::2]

    def _begin(self) -> None:
        """First values, and how fast each kind of them learns."""
        factors, *rest = self._descent.values
        factors[...] = 1.0
        self._descent.rates[0][...] = _SCALING_RATE
        for part in rest[:-2]:
            part[...] = self._random.standard_normal(part.shape, dtype=np.float32)
        for decaying in self._descent.decaying[1::2]:
            decaying[...] = 1.0
        for rate in self._descent.rates[2::2]:
            rate[...] = _OFFSET_RATE

    def _learn(self, matrix: Single, goals: Single, weight: Single) -> None:
        """One step: forwards, backwards, and down."""
        done = self._steps / (self._course.epochs * self._batches)
        self._steps += 1
        flows, slopes, sums = self._forwards(matrix, self._course.dropout * _fading(done))
        error = _chances(sums) - goals if self._is_classes else 2 * (sums - goals)
        error *= weight[:, np.newaxis] / np.float32(len(goals))
        self._backwards(matrix, flows, slopes, error)
        self._descent.step(self._course.rate * _wave(done), self._course.decay * _fading(done))

    def _forwards(self, matrix: Single, dropout: float) -> tuple[list[Single], list[Single], Single]:
        """What flows into each layer, how steep the hidden units are, and the sums of the last layer."""
        factors, *rest = self._descent.values
        flows: list[Single] = [matrix * factors]
        slopes = list[Single]()
        for weights, offsets, shrink in zip(rest[::2], rest[1::2], self._shrinks, strict=True):
            sums: Single = flows[-1] @ weights
            sums *= shrink
            sums += offsets
            if weights is not rest[-2]:
                flow, slope = _units(self._course.activation, sums)
                if dropout:
                    kept = self._random.random(flow.shape, dtype=np.float32) >= np.float32(dropout)
                    flow *= kept * np.float32(1 / (1 - dropout))
                    slope *= kept * np.float32(1 / (1 - dropout))
                flows.append(flow)
                slopes.append(slope)
        return flows, slopes, sums

    def _backwards(self, matrix: Single, flows: list[Single], slopes: list[Single], error: Single) -> None:
        """The gradients of all parameters, from the error of the last layer's sums."""
        weights, gradients = self._descent.values[1::2], self._descent.gradients
        for layer in reversed(range(len(flows))):
            np.matmul(flows[layer].T, error, out=gradients[1 + 2 * layer])
            gradients[1 + 2 * layer] *= self._shrinks[layer]
            np.sum(error, axis=0, out=gradients[2 + 2 * layer])
            error = error @ weights[layer].T
            error *= self._shrinks[layer]
            error *= slopes[layer - 1] if layer else matrix
        np.sum(error, axis=0, out=gradients[0])


def _wave(done: float) -> float:
    """Share of the highest rate when that share of the course is done: four waves, ever longer (``coslog4``)."""
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + _WAVES_BASE * done)))


def _fading(done: float) -> float:
    """1 for half of the course, then down to 0 along a cosine (``flat_cos``)."""
    return 0.5 * (1 + math.cos(math.pi * (max(1.0, 2 * done) - 1)))


def _units(kind: Activation, sums: Single) -> tuple[Single, Single]:
    """Of hidden units: their answers, as :func:`~modelyard.features.exact.activations.activated`, and how these change with the sums."""
    if kind is Activation.SELU:
        risen = _STEEP * np.exp(np.minimum(sums, 0))
        above = sums > 0
        return np.where(above, _SCALE * sums, risen - _STEEP), np.where(above, _SCALE, risen)
    risen = np.exp(np.minimum(sums, _EXPONENT))
    squared = risen * (risen + 2)
    tangent = squared / (squared + 2)
    return sums * tangent, tangent + sums * (1 - tangent * tangent) * (risen / (1 + risen))


def _chances(sums: Single) -> Single:
    """Probabilities by class."""
    risen = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(risen / risen.sum(axis=1, keepdims=True))
