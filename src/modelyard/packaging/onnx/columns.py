"""Columns of a table as inputs of a graph, and encodings as nodes: each gives its features, shape (rows, width)."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.core import StateError
from modelyard.features import Encoding
from modelyard.features.dates import DateDifferenceEncoding, DateEncoding
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    ConstantEncoding,
    LeftOutEncoding,
    NumericEncoding,
)
from modelyard.features.targets import TargetEncoding
from modelyard.features.transforms import (
    BinsEncoding,
    InteractionEncoding,
    LogEncoding,
    QuantileEncoding,
    SplineEncoding,
)
from modelyard.packaging.onnx.dates import date_difference, date_parts
from modelyard.packaging.onnx.graph import Graph
from modelyard.packaging.onnx.records import MISSING

__all__ = ["encoded", "input_kinds"]

_FARTHEST = 1e6  # as in the encodings of curves and products
_KINDS: Mapping[type, str] = {
    NumericEncoding: "number",
    LogEncoding: "number",
    QuantileEncoding: "number",
    SplineEncoding: "number",
    BinsEncoding: "number",
    InteractionEncoding: "number",
    BooleanEncoding: "boolean",
    DateEncoding: "seconds",
    DateDifferenceEncoding: "seconds",
    CategoryEncoding: "text",
    TargetEncoding: "text",
}


def input_kinds(encodings: Sequence[Encoding]) -> dict[str, str]:
    """Column to what the graph takes of it; columns that give no feature are left out.

    Raises
    ------
    StateError
        If an encoding has no form in ONNX, or two read a column in different ways.
    """
    kinds: dict[str, str] = {}
    for encoding in encodings:
        if isinstance(encoding, ConstantEncoding | LeftOutEncoding) or not encoding.names():
            continue
        kind = _KINDS.get(type(encoding))
        if kind is None:
            raise _refused(encoding.column, type(encoding).__name__.removesuffix("Encoding").lower())
        for name in encoding.reads if hasattr(encoding, "reads") else (encoding.column,):
            if kinds.setdefault(name, kind) != kind:
                raise _refused(name, f"{kinds[name]} and {kind} at once")
    return kinds


def _refused(column: str, got: str) -> StateError:
    return StateError(
        "this column cannot be read by ONNX",
        where=column,
        got=got,
        cure="Leave the column out (data.exclude), or serve the package itself; numbers, Booleans, dates and categories can",
    )


def encoded(graph: Graph, encodings: Sequence[Encoding]) -> str:
    """The matrix of features, shape (rows, features)."""
    blocks = [_ENCODERS[type(item)](graph, item) for item in encodings if type(item) in _ENCODERS and item.names()]
    return graph.add("Concat", *blocks, axis=1)


def _number(graph: Graph, name: str) -> str:
    """A column of numbers; infinities are missing, as everywhere."""
    value = graph.input(name, text=False)
    return graph.add("Where", graph.add("IsInf", value), graph.constant(np.float64("nan")), value)


def _truth(graph: Graph, name: str) -> str:
    """1, 0, or not a number for whatever is neither."""
    value = graph.input(name, text=False)
    either = graph.add(
        "Or", graph.add("Equal", value, graph.constant(0.0)), graph.add("Equal", value, graph.constant(1.0))
    )
    return graph.add("Where", either, value, graph.constant(np.float64("nan")))


def _filled(graph: Graph, value: str, fill: float | None) -> str:
    if fill is None:
        return value
    return graph.add("Where", graph.add("IsNaN", value), graph.constant(fill), value)


def _scaled(graph: Graph, value: str, center: Any, scale: Any) -> str:
    if np.all(np.asarray(center) == 0) and np.all(np.asarray(scale) == 1):
        return value
    return graph.add("Div", graph.add("Sub", value, graph.constant(center)), graph.constant(scale))


def _flagged(graph: Graph, value: str, feature: str, *, indicator: bool) -> str:
    """The feature, and beside it whether the value is missing."""
    if not indicator:
        return feature
    return graph.add("Concat", feature, graph.to_double(graph.add("IsNaN", value)), axis=1)


def _numeric(graph: Graph, item: NumericEncoding) -> str:
    value = _number(graph, item.column)
    feature = _scaled(graph, _filled(graph, value, item.fill), item.center, item.scale)
    return _flagged(graph, value, feature, indicator=item.indicator)


def _boolean(graph: Graph, item: BooleanEncoding) -> str:
    value = _truth(graph, item.column)
    return _flagged(graph, value, _filled(graph, value, item.fill), indicator=item.indicator)


def _log(graph: Graph, item: LogEncoding) -> str:
    value = _number(graph, item.column)
    known = _filled(graph, value, item.fill)
    size = graph.add("Div", graph.add("Abs", known), graph.constant(item.unit))
    size = graph.add("Min", size, graph.constant(1e308))
    logarithm = graph.add(
        "Mul", graph.add("Sign", known), graph.add("Log", graph.add("Add", size, graph.constant(1.0)))
    )
    return _flagged(graph, value, _scaled(graph, logarithm, item.center, item.scale), indicator=item.indicator)


def _looked_up(graph: Graph, column: str, rows: Mapping[str, Any], unseen: Any, missing: Any) -> str:
    """The features of a category, by a table of those of every level."""
    if MISSING in rows:
        raise _refused(column, f"a category that is called {MISSING}, which stands for a missing one")
    value = graph.input(column, text=True)
    names = [*rows, MISSING]
    codes = graph.add(
        "LabelEncoder",
        value,
        domain="ai.onnx.ml",
        keys_strings=names,
        values_int64s=list(range(len(names))),
        default_int64=len(names),
    )
    table = np.array([*rows.values(), missing, unseen], dtype=np.float64)
    flat = graph.add("Reshape", codes, graph.constant(np.array([-1], dtype=np.int64)))
    return graph.add("Gather", graph.constant(table), flat, axis=0)


def _category(graph: Graph, item: CategoryEncoding) -> str:
    known = {level: item.encode_value(level) for level in (*item.levels, *item.infrequent)}
    return _looked_up(graph, item.column, known, _unseen(item, known), item.encode_value(None))


def _target(graph: Graph, item: TargetEncoding) -> str:
    known = {level: item.encode_value(level) for level in item.levels}
    return _looked_up(graph, item.column, known, _unseen(item, known), item.encode_value(None))


def _unseen(item: Any, known: Mapping[str, Any]) -> Any:
    """The features of a level that is not known."""
    stranger = "a level that nobody has seen"
    while stranger in known:
        stranger += "!"
    return item.encode_value(stranger)


def _quantile(graph: Graph, item: QuantileEncoding) -> str:
    value = _number(graph, item.column)
    knots, scores = np.array(item.knots), np.array(item.scores)
    held = graph.add(
        "Clip", _filled(graph, value, item.fill), graph.constant(item.knots[0]), graph.constant(item.knots[-1])
    )
    at = _places(graph, held, knots[1:-1])
    slopes = np.diff(scores) / np.diff(knots)
    start, base, slope = (
        graph.add("Gather", graph.constant(table), at, axis=0) for table in (knots[:-1], scores[:-1], slopes)
    )
    ranked = graph.add("Add", base, graph.add("Mul", graph.add("Sub", held, start), slope))
    return _flagged(graph, value, ranked, indicator=item.indicator)


def _places(graph: Graph, value: str, edges: Any) -> str:
    """How many edges a value has reached, shape (rows, 1)."""
    reached = graph.to_whole(graph.add("GreaterOrEqual", value, graph.constant(np.reshape(edges, (1, -1)))))
    return graph.add("ReduceSum", reached, graph.constant(np.array([1], dtype=np.int64)), keepdims=1)


def _bins(graph: Graph, item: BinsEncoding) -> str:
    value = _number(graph, item.column)
    bins = len(item.edges) + 1
    places = _places(graph, value, np.array(item.edges))
    at = graph.add("Where", graph.add("IsNaN", value), graph.constant(np.int64(bins)), places)
    flat = graph.add("Reshape", at, graph.constant(np.array([-1], dtype=np.int64)))
    inside = [item.edges[0] - 1.0, *item.edges]
    table = np.array([*(item.encode_value(number) for number in inside), item.encode_value(None)], dtype=np.float64)
    return graph.add("Gather", graph.constant(table), flat, axis=0)


def _spline(graph: Graph, item: SplineEncoding) -> str:
    """As the encoding's own ``terms``, the cubes written out."""
    value = _number(graph, item.column)
    unit = _scaled(graph, _filled(graph, value, item.fill), item.low, item.high - item.low)
    unit = graph.add("Clip", unit, graph.constant(-_FARTHEST), graph.constant(_FARTHEST))
    inside = graph.add("Clip", unit, graph.constant(0.0), graph.constant(1.0))
    beyond = graph.add("Max", graph.add("Sub", unit, graph.constant(1.0)), graph.constant(0.0))
    *inner, before, last = item.knots
    near, far = _cube(graph, inside, before), _cube(graph, inside, last)
    terms = [unit]
    for knot in inner:
        down, up = (last - knot) / (last - before), (before - knot) / (last - before)
        ends = (1 - knot) ** 2 - (1 - before) ** 2 * down + (1 - last) ** 2 * up
        parts = [
            _cube(graph, inside, knot),
            graph.add("Mul", near, graph.constant(-down)),
            graph.add("Mul", far, graph.constant(up)),
            graph.add("Mul", beyond, graph.constant(3 * ends)),
        ]
        terms.append(functools.reduce(lambda first, second: graph.add("Add", first, second), parts))
    features = _scaled(graph, graph.add("Concat", *terms, axis=1), np.array(item.centers), np.array(item.scales))
    return _flagged(graph, value, features, indicator=item.indicator)


def _cube(graph: Graph, value: str, knot: float) -> str:
    above = graph.add("Max", graph.add("Sub", value, graph.constant(knot)), graph.constant(0.0))
    return graph.add("Mul", graph.add("Mul", above, above), above)


def _interaction(graph: Graph, item: InteractionEncoding) -> str:
    factors = []
    for place, name in enumerate(item.reads):
        value = _filled(graph, _number(graph, name), item.fills[place])
        factor = _scaled(graph, value, item.centers[place], item.scales[place])
        factors.append(graph.add("Clip", factor, graph.constant(-_FARTHEST), graph.constant(_FARTHEST)))
    return graph.add("Mul", *factors)


def _date(graph: Graph, item: DateEncoding) -> str:
    value = _number(graph, item.column)
    parts = date_parts(graph, value, [part.name for part in item.parts])
    columns = [
        _scaled(graph, _filled(graph, feature, part.fill), part.center, part.scale)
        for feature, part in zip(parts, item.parts, strict=True)
    ]
    if item.indicator:
        columns.append(graph.to_double(graph.add("IsNaN", value)))
    return graph.add("Concat", *columns, axis=1)


def _difference(graph: Graph, item: DateDifferenceEncoding) -> str:
    apart = date_difference(graph, _number(graph, item.start), _number(graph, item.end))
    return _scaled(graph, _filled(graph, apart, item.fill), item.center, item.scale)


_ENCODERS: Mapping[type, Callable[[Graph, Any], str]] = {
    NumericEncoding: _numeric,
    BooleanEncoding: _boolean,
    LogEncoding: _log,
    CategoryEncoding: _category,
    TargetEncoding: _target,
    QuantileEncoding: _quantile,
    BinsEncoding: _bins,
    SplineEncoding: _spline,
    InteractionEncoding: _interaction,
    DateEncoding: _date,
    DateDifferenceEncoding: _difference,
}
