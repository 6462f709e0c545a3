"""The function behind a metric of one's own: found, called, and held to what it must give."""

import contextlib
import functools
import importlib
import importlib.util
import inspect
import math
import numbers
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import ConfigError, digest_file
from modelyard.problem.metrics import MetricInput, MetricSpec

__all__ = ["custom_scores", "in_fold", "load_metric", "try_metrics"]

Array = npt.NDArray[np.float64]
Function = Callable[..., Any]

_WEIGHTS = ("weights", "sample_weight")


def custom_scores(spec: MetricSpec, truth: Array, prediction: Array, weights: Array) -> Array:
    """The metric under each of many weightings of the rows.

    A function that takes ``weights`` (or ``sample_weight``, as scikit-learn's do) gets them; for another one each row
    is repeated as often as it counts.

    Parameters
    ----------
    truth, prediction
        As for :func:`modelyard.training.metrics.score`; labels are decided already.
    weights
        Shape (samples, n), whole numbers.

    Raises
    ------
    ConfigError
        If the function cannot be found, raises, or gives no number.
    """
    function = load_metric(spec)
    keyword = _weights_keyword(function)
    return np.array([_figure(spec, function, keyword, truth, prediction, sample) for sample in weights])


def load_metric(spec: MetricSpec) -> Function:
    """The function at the metric's path: of a file in the project's folder, else of an installed package.

    Raises
    ------
    ConfigError
        If there is none, or its module cannot be imported.
    """
    module, _, name = spec.path.rpartition(".")
    file = Path(spec.folder, *module.split(".")).with_suffix(".py") if spec.folder else None
    try:
        if file is not None and file.exists():
            found = vars(_module_of(str(file), digest_file(file))).get(name)
        else:
            found = getattr(importlib.import_module(module), name, None)
    except Exception as error:
        raise _refusal(spec, "cannot be imported", f"{spec.path}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise _refusal(spec, "is no function", spec.path)
    function: Function = found
    return function


def try_metrics(specs: Sequence[MetricSpec], folds: Sequence[tuple[Array, Array]]) -> None:
    """Try metrics on the held-out rows of each fold before anything is fitted.

    Parameters
    ----------
    folds
        Truth of the rows held out, and answers that are nearly right.

    Raises
    ------
    ConfigError
        As :func:`custom_scores`, or if a metric is NaN where even such answers are judged; it names the fold.
    """
    for spec in specs:
        for number, (truth, prediction) in enumerate(folds, 1):
            with in_fold(number):
                value = custom_scores(spec, truth, prediction, np.ones((1, len(truth))))[0]
                if not math.isfinite(value):
                    raise _refusal(spec, "is not defined for answers that are nearly right", "NaN")


@contextlib.contextmanager
def in_fold(number: int) -> Iterator[None]:
    """Let the refusal of a metric of one's own say in which fold, counted from 1."""
    try:
        yield
    except ConfigError as error:
        if not error.where.startswith("metrics.custom."):
            raise
        raise ConfigError(
            f"{error.what} in fold {number}", where=error.where, got=error.got, cure=error.cure
        ) from error


@functools.lru_cache(maxsize=32)
def _module_of(file: str, digest: str) -> Any:  # noqa: ARG001 - a changed file is another module
    """A file of the project's folder as a module; the folder does not become a place to import from."""
    found = importlib.util.spec_from_file_location(f"modelyard_metrics_{Path(file).stem}", file)
    if found is None or found.loader is None:
        raise ImportError(file)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _weights_keyword(function: Function) -> str | None:
    """The parameter that takes weights."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # of a compiled function nothing is known
        return None
    return next((name for name in _WEIGHTS if name in parameters), None)


def _figure(
    spec: MetricSpec, function: Function, keyword: str | None, truth: Array, prediction: Array, weights: Array
) -> float:
    """One call; NaN for no rows at all."""
    if not weights.any():
        return math.nan
    if keyword is None and (weights != 1).any():
        rows = np.repeat(np.arange(len(truth)), np.rint(weights).astype(np.int64))
        truth, prediction = truth[rows], prediction[rows]
    given = {} if keyword is None else {keyword: _locked(weights)}
    try:
        value = function(_locked(truth), _locked(prediction), **given)
    except Exception as error:
        raise _refusal(spec, "raised an error", f"{type(error).__name__}: {error}") from error
    return _number(spec, value)


def _number(spec: MetricSpec, value: Any) -> float:
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _refusal(spec, "gives no number", f"{type(value).__name__} {value!r}"[:80])
    figure = float(value)
    if math.isinf(figure):
        raise _refusal(spec, "gives no finite number", repr(figure))
    return figure if math.isfinite(figure) or spec.undefined is None else spec.undefined


def _locked(array: Array) -> Array:
    """The same numbers, which the function cannot change for others."""
    view = array.view()
    view.flags.writeable = False
    return view


def _refusal(spec: MetricSpec, what: str, got: str) -> ConfigError:
    kind = {
        MetricInput.PROBABILITY: "probabilities",
        MetricInput.LABEL: "decided classes",
        MetricInput.VALUE: "values",
    }[spec.input]
    return ConfigError(
        f"the metric {spec.name!r} {what}",
        where=f"metrics.custom.{spec.name}",
        got=" ".join(got.split())[:200],
        cure=f"Mend {spec.path}: it is called with the truth and {kind}, as NumPy arrays, and gives one number; NaN where "
        "there is none, which metrics.custom.….undefined may name",
    )
