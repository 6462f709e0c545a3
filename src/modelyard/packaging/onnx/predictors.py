"""Predictors as nodes, from the files that they wrote: each gives its outputs, shape (rows, outputs)."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from modelyard.conformal import ProbabilityCurve
from modelyard.features.exact.activations import FARTHEST, HIGHEST_EXPONENT, SELU_ALPHA, SELU_SCALE, Activation
from modelyard.packaging.onnx.ensembles import summed_trees
from modelyard.packaging.onnx.graph import Graph
from modelyard.packaging.onnx.trees import forest_trees, lightgbm_trees, unconvertible, xgboost_trees
from modelyard.packaging.predictors import Link, load_predictor

__all__ = ["CONVERTIBLE", "predicted"]

Files = Mapping[str, bytes]

_LARGEST = 1e120  # as in the linear predictor
_SMALLEST = 1e-9  # as in the calibration curve
_LINKS = tuple(Link)


def predicted(graph: Graph, matrix: str, kind: str, files: Files) -> str:
    """The outputs of a predictor of a kind, from its files.

    Raises
    ------
    StateError
        If it has no exact form in ONNX.
    """
    if kind not in _CONVERTERS:
        raise unconvertible(f"a model of the kind {kind!r}", f"only {', '.join(CONVERTIBLE)} have one")
    return _CONVERTERS[kind](graph, matrix, files)


def _arrays(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _linked(graph: Graph, sums: str, link: Link) -> str:
    """From sums to outputs."""
    if link is Link.LOGISTIC:
        return graph.add("Sigmoid", sums)
    if link is Link.AGAINST_REST:
        sums = _log_logistic(graph, sums)
    return sums if link is Link.IDENTITY else graph.add("Softmax", sums, axis=1)


def _log_logistic(graph: Graph, sums: str) -> str:
    """``min(x, 0) - log(1 + exp(-|x|))``: nothing overflows."""
    power = graph.add("Exp", graph.add("Neg", graph.add("Abs", sums)))
    rest = graph.add("Log", graph.add("Add", power, graph.constant(1.0)))
    return graph.add("Sub", graph.add("Min", sums, graph.constant(0.0)), rest)


def _dot(graph: Graph, matrix: str, weights: Any, offsets: Any) -> str:
    product = graph.add("MatMul", matrix, graph.constant(np.asarray(weights, dtype=np.float64)))
    return graph.add("Add", product, graph.constant(np.asarray(offsets, dtype=np.float64)))


def _bounded(graph: Graph, value: str, bound: float) -> str:
    return graph.add("Clip", value, graph.constant(-bound), graph.constant(bound))


def _constant(graph: Graph, matrix: str, files: Files) -> str:
    """As many rows as there are in the matrix."""
    values = json.loads(files["constant.json"])["values"]
    first = graph.constant(np.array([0, 1], dtype=np.int64))
    rows = graph.add("Mul", graph.add("Shape", matrix), graph.constant(np.array([1, 0], dtype=np.int64)))
    shape = graph.add("Add", rows, first)
    return graph.add("Add", graph.add("Expand", graph.constant(np.zeros((1, 1))), shape), graph.constant([values]))


def _linear(graph: Graph, matrix: str, files: Files) -> str:
    content = json.loads(files["linear.json"])
    weights = np.array(content["coefficients"], dtype=np.float64).T
    sums = _dot(graph, _bounded(graph, matrix, _LARGEST), weights, content["intercepts"])
    return _linked(graph, sums, Link(content["link"]))


def _network(graph: Graph, matrix: str, files: Files) -> str:
    arrays = _arrays(files["network.npz"])
    bound, link, *activation = arrays["settings"].tolist()
    kind = tuple(Activation)[int(activation[0])] if activation else Activation.RELU
    depth = sum(name.startswith("weights_") for name in arrays)
    flow = _bounded(graph, matrix, bound)
    if "centers" in arrays:
        flow = _squashed(graph, flow, arrays["centers"], arrays["factors"])
    for layer in range(depth):
        flow = _dot(graph, flow, arrays[f"weights_{layer}"], arrays[f"offsets_{layer}"])
        if layer < depth - 1:
            flow = _activated(graph, flow, kind)
    return _linked(graph, flow, _LINKS[int(link)])


def _squashed(graph: Graph, matrix: str, centers: Any, factors: Any) -> str:
    """Centred, scaled and smoothly clipped; bounded first, so that no square overflows."""
    scaled = graph.add("Mul", graph.add("Sub", matrix, graph.constant(centers)), graph.constant(factors))
    near = _bounded(graph, scaled, _LARGEST)
    part = graph.add("Div", near, graph.constant(FARTHEST))
    return graph.add(
        "Div", near, graph.add("Sqrt", graph.add("Add", graph.add("Mul", part, part), graph.constant(1.0)))
    )


def _activated(graph: Graph, sums: str, kind: Activation) -> str:
    """The hidden units' answers, in double precision: ONNX's own Selu has constants in single."""
    if kind is Activation.RELU:
        return graph.add("Max", sums, graph.constant(0.0))
    if kind is Activation.SELU:
        above = graph.add("Mul", graph.add("Max", sums, graph.constant(0.0)), graph.constant(SELU_SCALE))
        risen = graph.add("Exp", graph.add("Min", sums, graph.constant(0.0)))
        below = graph.add("Mul", graph.add("Sub", risen, graph.constant(1.0)), graph.constant(SELU_SCALE * SELU_ALPHA))
        return graph.add("Add", above, below)
    risen = graph.add("Exp", graph.add("Min", sums, graph.constant(HIGHEST_EXPONENT)))
    squared = graph.add("Mul", risen, graph.add("Add", risen, graph.constant(2.0)))
    return graph.add("Mul", sums, graph.add("Div", squared, graph.add("Add", squared, graph.constant(2.0))))


def _lightgbm(graph: Graph, matrix: str, files: Files) -> str:
    ensemble, objective = lightgbm_trees(files["lightgbm.txt"].decode())
    sums = summed_trees(graph, matrix, ensemble)
    name, *settings = objective.split()
    if name in ("regression", "regression_l1", "huber", "fair", "quantile", "mape") and "sqrt" not in settings:
        return sums
    if name == "binary":
        slope = next((float(item.partition(":")[2]) for item in settings if item.startswith("sigmoid:")), 1.0)
        return graph.add("Sigmoid", graph.add("Mul", sums, graph.constant(slope)))
    if name == "multiclass":
        return graph.add("Softmax", sums, axis=1)
    if name in ("poisson", "gamma", "tweedie"):
        return graph.add("Exp", sums)
    raise unconvertible("this LightGBM model", f"objective {objective}")


def _xgboost(graph: Graph, matrix: str, files: Files) -> str:
    """XGBoost compares and adds in single precision, what is added to every sum first; so does this."""
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(files["xgboost.ubj"]))
    rounds = int(json.loads(files["xgboost.json"])["rounds"])
    ensemble, objective = xgboost_trees(json.loads(booster.save_raw("json")), rounds)
    sums = summed_trees(graph, matrix, ensemble)
    if objective in ("binary:logistic", "multi:softprob"):
        return graph.add("Sigmoid", sums) if objective == "binary:logistic" else graph.add("Softmax", sums, axis=1)
    if objective in ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror"):
        return sums
    raise unconvertible("this XGBoost model", f"objective {objective}")


def _forest(graph: Graph, matrix: str, files: Files) -> str:
    """scikit-learn rounds rows to single precision and compares them with thresholds in double precision."""
    return summed_trees(graph, graph.in_single_precision(matrix), forest_trees(_arrays(files["forest.npz"])))


def _oblivious(graph: Graph, matrix: str, files: Files) -> str:
    """Every comparison once; a leaf's number is made of the answers' bits."""
    arrays = _arrays(files["oblivious.npz"])
    _, link = arrays["settings"].tolist()
    places = arrays["places"].astype(np.int64)
    feature = np.append(arrays["feature"].astype(np.int64), 0)
    never = len(feature) - 1  # beyond a tree's depth: no number is above infinity
    values = graph.add("Gather", graph.in_single_precision(matrix), graph.constant(feature), axis=1)
    above = graph.add("Greater", values, graph.constant(np.append(arrays["border"], np.inf)))
    missing_above = graph.constant(np.append(arrays["missing_above"].astype(bool), False))
    above = graph.add("Or", above, graph.add("And", graph.add("IsNaN", values), missing_above))
    levels = np.where(places < 0, never, places)
    bits = graph.to_whole(graph.add("Gather", above, graph.constant(levels), axis=1))
    weighed = graph.add("Mul", bits, graph.constant(np.int64(1) << np.arange(places.shape[1], dtype=np.int64)))
    leaf = graph.add("ReduceSum", weighed, graph.constant(np.array([2], dtype=np.int64)), keepdims=0)
    leaf = graph.add("Add", leaf, graph.constant(arrays["starts"].astype(np.int64)))
    reached = graph.add("Gather", graph.constant(arrays["leaves"]), leaf, axis=0)
    sums = graph.add("ReduceSum", reached, graph.constant(np.array([1], dtype=np.int64)), keepdims=0)
    return _linked(graph, graph.add("Add", sums, graph.constant(arrays["base"])), _LINKS[int(link)])


def _blend(graph: Graph, matrix: str, files: Files) -> str:
    content = json.loads(files["blend.json"])
    total = ""
    for number, member in enumerate(content["members"]):
        start, stop = (np.array([member[end]], dtype=np.int64) for end in ("start", "stop"))
        axis = graph.constant(np.array([1], dtype=np.int64))
        part = graph.add("Slice", matrix, graph.constant(start), graph.constant(stop), axis)
        prefix = f"{number}-"
        own = {name.removeprefix(prefix): data for name, data in files.items() if name.startswith(prefix)}
        share = graph.add("Mul", predicted(graph, part, member["kind"], own), graph.constant(float(member["weight"])))
        total = graph.add("Add", total, share) if total else share
    curve = content["curve"]
    if curve is None:
        return total
    several = load_predictor("blend", files).outputs > 1
    return _curved(graph, total, ProbabilityCurve.from_dict(curve), several=several)


def _curved(graph: Graph, outputs: str, curve: ProbabilityCurve, *, several: bool) -> str:
    """A calibration, of one probability or of several."""
    slope = graph.constant(curve.slope)
    if several:
        logs = graph.add("Log", graph.add("Clip", outputs, graph.constant(_SMALLEST), graph.constant(1.0)))
        scaled = graph.add("Mul", logs, slope)
        if curve.offsets:
            scaled = graph.add("Add", scaled, graph.constant(np.array([curve.offsets])))
        return graph.add("Softmax", scaled, axis=1)
    kept = graph.add("Clip", outputs, graph.constant(_SMALLEST), graph.constant(1 - _SMALLEST))
    odds = graph.add("Sub", graph.add("Log", kept), graph.add("Log", graph.add("Sub", graph.constant(1.0), kept)))
    return graph.add("Sigmoid", graph.add("Add", graph.add("Mul", odds, slope), graph.constant(curve.offset)))


_CONVERTERS: Mapping[str, Callable[[Graph, str, Files], str]] = {
    "constant": _constant,
    "linear": _linear,
    "network": _network,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "forest": _forest,
    "oblivious": _oblivious,
    "blend": _blend,
}

CONVERTIBLE = tuple(_CONVERTERS)
"""Kinds of predictors that can be exported."""
