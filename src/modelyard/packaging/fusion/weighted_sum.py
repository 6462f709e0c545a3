"""A linear model over encoded columns as one sum over the columns themselves.

The features of a category are 0 but for one, so a category adds one weight, which a dictionary knows. A number adds
``weight · (value - center) / scale``, a curve the value of one polynomial. Some hundred features become a dozen terms.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import mul
from typing import Any, TypeAlias

from modelyard.features import (
    BooleanEncoding,
    CategoryEncoding,
    Encoding,
    NumericEncoding,
    SplineEncoding,
    TargetEncoding,
    row_encoder,
)
from modelyard.packaging.fusion.curves import Curve, polynomials
from modelyard.packaging.predictors import LinearPredictor

__all__ = ["WeightedSum"]

_Row: TypeAlias = Mapping[str, Any]
_Reader: TypeAlias = Callable[[_Row], float]


class WeightedSum:
    """One output of a linear model, from a row.

    What is added is what the encodings and the coefficients give, in another order; numbers and categories bit by bit,
    curves within 1e-10. Values that need reading first (a number written as text, a date as a category) are encoded;
    and where the sum is not finite, or a value cannot be a key or a double, the whole row is.

    Parameters
    ----------
    encodings
        How columns become features.
    predictor
        Coefficients of these features, for one output.
    in_two_steps
        Encodes a row and predicts.
    """

    def __init__(
        self, encodings: Sequence[Encoding], predictor: LinearPredictor, in_two_steps: Callable[[_Row], list[float]]
    ) -> None:
        ((weights, self._intercept),) = predictor.sums
        self._linked = predictor.linked
        self._in_two_steps = in_two_steps
        self._known: list[tuple[str, dict[Any, float], _Reader]] = []
        self._numbers: list[tuple[str, float, float, float, float, _Reader]] = []
        self._curves: list[tuple[str, Curve, float, _Reader]] = []
        self._others: list[_Reader] = []
        for encoding, own in _with_weights(encodings, weights):
            self._add(encoding, own)

    def answer(self, row: _Row) -> list[float]:
        """The output for a row."""
        get: Callable[[str], Any] = row.get
        total = self._intercept
        try:
            for column, amounts, read in self._known:
                amount = amounts.get(get(column))
                total += read(row) if amount is None else amount
            for column, center, scale, weight, gap, read in self._numbers:
                value = get(column)
                kind = value.__class__
                if kind is float or kind is int:
                    total += weight * ((value - center) / scale)
                else:
                    total += gap if value is None else read(row)
            for column, (low, span, knots, pieces), gap, read in self._curves:
                value = get(column)
                kind = value.__class__
                unit = (value - low) / span if kind is float or kind is int else -1.0
                if 0.0 <= unit <= 1.0:
                    start, level, slope, square, cube = pieces[bisect_right(knots, unit)]
                    step = unit - start
                    total += level + step * (slope + step * (square + step * cube))
                else:
                    total += gap if value is None else read(row)
            for read in self._others:
                total += read(row)
        except (OverflowError, TypeError):  # a whole number beyond all doubles; a list where a category should be
            return self._in_two_steps(row)
        return self._linked([total]) if math.isfinite(total) else self._in_two_steps(row)

    def _add(self, encoding: Encoding, weights: Sequence[float]) -> None:
        """Put one encoding where the sum is quickest."""
        read = _reader(encoding, weights)
        if isinstance(encoding, CategoryEncoding | TargetEncoding):
            amounts = {level: _product(weights, features) for level, features in encoding.by_level.items()}
            self._known.append((encoding.column, {None: read({}), **amounts}, read))
        elif isinstance(encoding, BooleanEncoding):
            values = {value: read({encoding.column: value}) for value in (None, True, False)}
            self._known.append((encoding.column, values, read))
        elif isinstance(encoding, NumericEncoding):
            number = (encoding.column, encoding.center, encoding.scale, weights[0], read({}), read)
            self._numbers.append(number)
        elif isinstance(encoding, SplineEncoding) and (curve := polynomials(encoding, weights)):
            self._curves.append((encoding.column, curve, read({}), read))
        else:
            self._others.append(read)


def _with_weights(
    encodings: Sequence[Encoding], weights: Sequence[float]
) -> Iterator[tuple[Encoding, Sequence[float]]]:
    """Each encoding that gives features, and their coefficients."""
    start = 0
    for encoding in encodings:
        stop = start + len(encoding.names())
        if stop > start:
            yield encoding, weights[start:stop]
        start = stop


def _reader(encoding: Encoding, weights: Sequence[float]) -> _Reader:
    """What an encoding adds, by way of its features."""
    encode = row_encoder([encoding])
    return lambda row: _product(weights, encode(row))


def _product(weights: Sequence[float], features: Sequence[float]) -> float:
    return sum(map(mul, weights, features), 0.0)
