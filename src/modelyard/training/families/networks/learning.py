"""How RealMLP learns: gradients by hand, Adam (Kingma and Ba, 2015), and a rate that falls and rises four times.

All parameters lie in one vector, so that a step of Adam is a few operations on it; layers are views of that vector. Single
precision throughout: twice as fast, and noise that stochastic gradients drown.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.features.activations import SELU_ALPHA, SELU_SCALE, Activation

__all__ = ["Course", "NetworkLearner"]

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]

_BATCH = 256
_MOMENTS = 0.9, 0.95
_LEAST = 1e-8
_SCALING_RATE, _OFFSET_RATE = 6.0, 0.1
"""Times the rate of weights."""

_CYCLES_BASE = 15.0
_EXPONENT = 20.0


@dataclasses.dataclass(frozen=True)
class Course:
    """What a network is, and how long it learns.

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
    """

    units: Sequence[int]
    activation: Activation
    rate: float
    epochs: int


class NetworkLearner:
    """A network while it learns.

    A scaling of each input comes first. Weights are drawn from N(0, 1) and divided by the root of a layer's inputs in use, not
    at the start (the neural tangent parametrisation); the last layer begins at 0.

    Parameters
    ----------
    matrix
        Inputs, squashed, shape (rows, features).
    goals
        Shape (rows, outputs): 0 and 1 for each class, or values about 0.
    weight
        Of each row, 1 on average.
    is_classes
        True for cross entropy, False for squared error.
    seed
        Of the first weights and the order of rows.
    """

    def __init__(
        self, matrix: Single, goals: Single, weight: Single, course: Course, *, is_classes: bool, seed: int
    ) -> None:
        self._matrix, self._goals, self._weight = matrix, goals, weight
        self._course, self._is_classes = course, is_classes
        self._random = np.random.default_rng(seed)
        self._batch = min(_BATCH, len(matrix))
        self._batches = len(matrix) // self._batch
        self._step = 0
        widths = [matrix.shape[1], *course.units, goals.shape[1]]
        shapes = [
            (widths[0],),
            *(shape for pair in zip(widths, widths[1:], strict=False) for shape in (pair, pair[1:])),
        ]
        self._values, self._gradients, rates, self._first, self._second = (
            np.zeros(sum(math.prod(shape) for shape in shapes), dtype=np.float32) for _ in range(5)
        )
        self._parameters, self._slopes = _views(self._values, shapes), _views(self._gradients, shapes)
        for part, values in zip(_views(rates, shapes), self._parameters, strict=True):
            part[...] = _OFFSET_RATE if values.ndim == 1 else 1.0
            values[...] = self._random.standard_normal(values.shape, dtype=np.float32)
        rates[: widths[0]] = _SCALING_RATE
        self._rates = rates
        self._parameters[0][...] = 1.0
        for values in self._parameters[-2:]:
            values[...] = 0.0
        self._shrinks = [np.float32(1 / math.sqrt(width)) for width in widths[:-1]]

    def epoch(self) -> None:
        """Once through the rows, but for a last batch that would be smaller than the others."""
        order = self._random.permutation(len(self._matrix))
        for start in range(0, self._batches * self._batch, self._batch):
            rows = order[start : start + self._batch]
            self._learn(self._matrix[rows], self._goals[rows], self._weight[rows])

    def layers(self) -> tuple[list[Array], list[Array]]:
        """Weights and offsets as they are used: with the scaling, and divided; in double precision."""
        weights = [
            values.astype(np.float64) * float(shrink)
            for values, shrink in zip(self._parameters[1::2], self._shrinks, strict=True)
        ]
        weights[0] = weights[0] * self._parameters[0].astype(np.float64)[:, np.newaxis]
        return weights, [values.astype(np.float64) for values in self._parameters[2::2]]

    def _learn(self, matrix: Single, goals: Single, weight: Single) -> None:
        """One step: forwards, backwards, and Adam."""
        flows, slopes = [matrix * self._parameters[0]], []
        last = len(self._shrinks) - 1
        for layer, shrink in enumerate(self._shrinks):
            sums = flows[-1] @ self._parameters[1 + 2 * layer]
            sums *= shrink
            sums += self._parameters[2 + 2 * layer]
            if layer < last:
                flow, slope = _answers_and_slopes(self._course.activation, sums)
                flows.append(flow)
                slopes.append(slope)
        error = _chances(sums) - goals if self._is_classes else 2 * (sums - goals)
        error *= weight[:, np.newaxis] / len(goals)
        for layer in range(last, -1, -1):
            weights, gradient = self._parameters[1 + 2 * layer], self._slopes[1 + 2 * layer]
            np.matmul(flows[layer].T, error, out=gradient)
            gradient *= self._shrinks[layer]
            np.sum(error, axis=0, out=self._slopes[2 + 2 * layer])
            error = error @ weights.T
            error *= self._shrinks[layer]
            if layer:
                error *= slopes[layer - 1]
        error *= matrix
        np.sum(error, axis=0, out=self._slopes[0])
        self._descend()

    def _descend(self) -> None:
        """Adam's step, at the rate of this moment of the course."""
        begun = self._step / (self._course.epochs * self._batches)
        self._step += 1
        rate = self._course.rate * _rate_at(begun)
        first, second = _MOMENTS
        self._first *= first
        self._first += (1 - first) * self._gradients
        np.square(self._gradients, out=self._gradients)
        self._gradients *= 1 - second
        self._second *= second
        self._second += self._gradients
        step = np.sqrt(self._second / np.float32(1 - second**self._step))
        step += np.float32(_LEAST)
        np.divide(self._first, step, out=step)
        step *= self._rates
        step *= np.float32(rate / (1 - first**self._step))
        self._values -= step


def _views(vector: Single, shapes: Sequence[tuple[int, ...]]) -> list[Single]:
    """The vector's parts in these shapes."""
    views, start = list[Single](), 0
    for shape in shapes:
        end = start + math.prod(shape)
        views.append(vector[start:end].reshape(shape))
        start = end
    return views


def _rate_at(begun: float) -> float:
    """Share of the highest rate when that share of the course is done: four waves, ever longer (``coslog4``)."""
    return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + _CYCLES_BASE * begun)))


def _answers_and_slopes(kind: Activation, sums: Single) -> tuple[Single, Single]:
    """Of hidden units: their answers, and how much these change with the sums."""
    if kind is Activation.SELU:
        risen = np.exp(np.minimum(sums, 0))
        risen *= np.float32(SELU_SCALE * SELU_ALPHA)
        above = sums > 0
        answers = np.where(above, np.float32(SELU_SCALE) * sums, risen - np.float32(SELU_SCALE * SELU_ALPHA))
        return answers, np.where(above, np.float32(SELU_SCALE), risen)
    risen = np.exp(np.minimum(sums, np.float32(_EXPONENT)))
    squared = risen * (risen + 2)
    tangent = squared / (squared + 2)
    return sums * tangent, tangent + sums * (1 - tangent * tangent) * (risen / (1 + risen))


def _chances(sums: Single) -> Single:
    """Probabilities by class."""
    risen = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(risen / risen.sum(axis=1, keepdims=True))
