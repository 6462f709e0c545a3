"""Why single rows got their predictions: contributions of columns that sum to the prediction minus the average.

Trees are explained exactly by TreeSHAP (Lundberg et al., 2020): by the library's own for LightGBM, XGBoost and CatBoost,
by :mod:`modelyard.evaluation.reasons.trees` for those of scikit-learn that are not too large. Linear and additive models
are explained by their terms, everything else by sampled Shapley values (Štrumbelj and Kononenko, 2014). Encoded features
are added up to the column that they came from.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.reasons.mixing import Mixture
from modelyard.evaluation.reasons.trees import tree_contributions, trees_of
from modelyard.evaluation.records import Contribution, RowExplanation
from modelyard.evaluation.weaknesses.losses import row_losses
from modelyard.problem import Task
from modelyard.training.model import FittedModel

__all__ = [
    "Attribution",
    "RowNames",
    "affordable_rows",
    "attribute",
    "choose_rows",
    "explain_positions",
    "explain_rows",
    "how_explained",
]

Array = npt.NDArray[np.float64]
_ROWS_OF_A_KIND = 3
_BACKGROUND_ROWS = 100
_PERMUTATIONS = 24
_MOST_PREDICTIONS, _MOST_CELLS, _FEWEST_ROWS = 60_000, 20_000_000, 5
_SHOWN_CHARACTERS = 80


@dataclasses.dataclass(frozen=True)
class Attribution:
    """Contributions of columns, shape (rows, columns), and the score of an average row and of each row."""

    amounts: Array
    base: Array
    margin: Array
    scale: str
    exact: bool = True


@dataclasses.dataclass(frozen=True)
class RowNames:
    """How rows and classes are called: the id of each row, and the class names in the order of their codes."""

    ids: Sequence[str]
    classes: Sequence[str]


def explain_rows(
    model: FittedModel, frame: pl.DataFrame, truth: Array, background: pl.DataFrame, *, names: RowNames, seed: int
) -> tuple[RowExplanation, ...]:
    """The three highest and the three lowest predictions, and the three worst mistakes, with their reasons.

    Parameters
    ----------
    frame, truth
        Rows that the model did not learn from, with their encoded target.
    background
        Training rows: what an average row is.
    """
    prediction = model.predict(frame)
    chosen = choose_rows(model.task, truth, prediction)
    if not chosen:
        return ()
    positions = np.array([position for position, _ in chosen])
    found = explain_positions(model, frame, truth, prediction, background, positions=positions, names=names, seed=seed)
    return tuple(dataclasses.replace(item, kind=kind) for item, (_, kind) in zip(found, chosen, strict=True))


def explain_positions(
    model: FittedModel,
    frame: pl.DataFrame,
    truth: Array,
    prediction: Array,
    background: pl.DataFrame,
    *,
    positions: npt.NDArray[np.intp],
    names: RowNames,
    seed: int,
) -> tuple[RowExplanation, ...]:
    """Why the rows at ``positions`` of ``frame`` got their ``prediction``; the other parameters are those of
    :func:`explain_rows`.
    """
    part, scores = frame[positions], prediction[positions]
    outputs = scores.argmax(axis=1) if model.task is Task.MULTICLASS else np.zeros(len(positions), dtype=np.intp)
    found = attribute(model, part, background, outputs=outputs, seed=seed)
    return tuple(
        dataclasses.replace(
            _explanation(model, part, found, index),
            row_id=names.ids[position],
            prediction=float(scores[index, outputs[index]] if scores.ndim == 2 else scores[index]),
            actual=_named(model.task, float(truth[position]), names),
            explained_class=_explained(model.task, int(outputs[index]), names),
        )
        for index, position in enumerate(positions)
    )


def choose_rows(task: Task, truth: Array, prediction: Array) -> list[tuple[int, str]]:
    """Positions of the rows worth explaining, each once, with the reason: ``mistake``, ``highest`` or ``lowest``."""
    if len(truth) == 0:
        return []
    loss = row_losses(task, truth, prediction)
    height = prediction.max(axis=1) if task is Task.MULTICLASS else prediction
    chosen: dict[int, str] = {}
    for order, kind in ((-loss, "mistake"), (-height, "highest"), (height, "lowest")):
        ranked = (int(position) for position in np.argsort(order, kind="stable") if int(position) not in chosen)
        chosen.update(
            dict.fromkeys((position for position, _ in zip(ranked, range(_ROWS_OF_A_KIND), strict=False)), kind)
        )
    return list(chosen.items())


def attribute(
    model: FittedModel, frame: pl.DataFrame, background: pl.DataFrame, *, outputs: npt.NDArray[np.intp], seed: int
) -> Attribution:
    """Contributions of every column of the model to the score of each row.

    Parameters
    ----------
    background
        Rows that an average is taken over; at most 100 of them are used.
    outputs
        Which class of each row is explained (several classes); zeros otherwise.

    Returns
    -------
    Attribution
        ``amounts.sum(axis=1)`` equals ``margin - base``. The scale is log-odds for boosted trees and linear
        classifiers, probability for other classifiers, and the target's unit for regression. It is ``exact`` unless
        the values were sampled.
    """
    size = min(_BACKGROUND_ROWS, background.height)
    kept = np.sort(np.random.default_rng(seed).choice(background.height, size, replace=False))
    exact = _EXACT.get(model.family)
    if exact is not None and _has_own_outputs(model, outputs):
        # the estimator knows only the classes that it was trained on
        known = np.searchsorted(model.present, outputs) if model.task is Task.MULTICLASS else outputs
        encoded = _Encoded(model.encoder.transform(frame), model.encoder.transform(background[kept]), known)
        found = exact(model, encoded)
        if found is not None:
            return dataclasses.replace(found, amounts=_by_column(model, found.amounts))
    return _sampled(model, frame, background[kept], outputs, seed)


def _has_own_outputs(model: FittedModel, outputs: npt.NDArray[np.intp]) -> bool:
    """True unless the estimator lacks a class that is explained, or has one output for the two classes it knows."""
    if model.task is not Task.MULTICLASS:
        return True
    return len(model.present) > 2 and bool(np.isin(outputs, model.present).all())


@dataclasses.dataclass(frozen=True)
class _Encoded:
    rows: Array
    background: Array
    outputs: npt.NDArray[np.intp]


def _by_column(model: FittedModel, amounts: Array) -> Array:
    """Sums over the encoded features of each column; a feature made of several counts for each in equal shares."""
    places = {column.name: at for at, column in enumerate(model.encoder.columns_)}
    sums, start = np.zeros((len(amounts), len(places))), 0
    for encoding, columns in zip(model.encoder.encodings_, model.encoder.sources(), strict=True):
        width = len(encoding.names())
        amount = amounts[:, start : start + width].sum(axis=1)
        for column in columns:
            sums[:, places[column]] += amount / len(columns)
        start += width
    return sums


def _scale(task: Task) -> str:
    return "value" if task is Task.REGRESSION else "log-odds"


def _lightgbm(model: FittedModel, encoded: _Encoded) -> Attribution | None:
    booster = getattr(model.estimator, "booster_", None)
    if booster is None:
        return None
    raw = np.asarray(booster.predict(encoded.rows, pred_contrib=True), dtype=np.float64)
    width = encoded.rows.shape[1] + 1
    chosen = raw.reshape(len(raw), -1, width)[np.arange(len(raw)), encoded.outputs]
    return _of_tree(model, chosen)


def _xgboost(model: FittedModel, encoded: _Encoded) -> Attribution | None:
    if not hasattr(model.estimator, "get_booster"):
        return None
    import xgboost

    raw = model.estimator.get_booster().predict(xgboost.DMatrix(encoded.rows), pred_contribs=True)
    raw = np.asarray(raw, dtype=np.float64)
    chosen = raw.reshape(len(raw), -1, encoded.rows.shape[1] + 1)[np.arange(len(raw)), encoded.outputs]
    return _of_tree(model, chosen)


def _catboost(model: FittedModel, encoded: _Encoded) -> Attribution | None:
    if not hasattr(model.estimator, "get_feature_importance"):
        return None
    from catboost import Pool

    width = encoded.rows.shape[1] + 1
    raw = model.estimator.get_feature_importance(Pool(encoded.rows), type="ShapValues", thread_count=1)
    raw = np.asarray(raw, dtype=np.float64).reshape(len(encoded.rows), -1, width)
    return _of_tree(model, raw[np.arange(len(raw)), encoded.outputs])


def _ebm(model: FittedModel, encoded: _Encoded) -> Attribution | None:
    """The terms themselves, against their mean over the background; exact by construction."""
    if not hasattr(model.estimator, "contributions"):
        return None
    rows, centre = (model.estimator.contributions(part) for part in (encoded.rows, encoded.background))
    chosen = (rows - centre.mean(axis=0))[np.arange(len(rows)), :, encoded.outputs]
    margin = model.estimator.sums(encoded.rows)[np.arange(len(rows)), encoded.outputs]
    return Attribution(chosen, margin - chosen.sum(axis=1), margin, _scale(model.task))


def _of_tree(model: FittedModel, contributions: Array) -> Attribution:
    """TreeSHAP's last column is the base; the margin is the sum of all."""
    amounts, base = contributions[:, :-1], contributions[:, -1]
    return Attribution(amounts, base, contributions.sum(axis=1), _scale(model.task))


def _linear(model: FittedModel, encoded: _Encoded) -> Attribution | None:
    """Coefficient times distance from the mean of the background; exact, if features are taken as independent."""
    if not hasattr(model.estimator, "coef_"):
        return None
    coefficients = np.atleast_2d(np.asarray(model.estimator.coef_, dtype=np.float64))
    intercepts = np.atleast_1d(np.asarray(model.estimator.intercept_, dtype=np.float64))
    of_row = coefficients[encoded.outputs]
    centre = encoded.background.mean(axis=0)
    base = of_row @ centre + intercepts[encoded.outputs]
    amounts = of_row * (encoded.rows - centre)
    return Attribution(amounts, base, base + amounts.sum(axis=1), _scale(model.task))


def _scikit_trees(model: FittedModel, encoded: _Encoded) -> Attribution | None:
    """The share of the explained class, or the value; of two classes the second is the positive one."""
    trees = trees_of(model.estimator)
    if not trees:
        return None
    outputs = encoded.outputs + (model.task is Task.BINARY)
    found = _of_tree(model, tree_contributions(trees, encoded.rows, outputs))
    return dataclasses.replace(found, scale="value" if model.task is Task.REGRESSION else "probability")


_EXACT = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "ebm": _ebm,
    "linear": _linear,
    "elastic_net": _linear,
    "decision_tree": _scikit_trees,
    "shallow_tree": _scikit_trees,
    "extra_trees": _scikit_trees,
    "random_forest": _scikit_trees,
}
_KINDS = {_ebm: "additive models", _linear: "linear models"}


def how_explained(model: FittedModel) -> str:
    """``exact for trees``, ``exact for linear models``, ``exact for additive models``, or ``sampled``.

    A model of several classes may still have to be sampled where the estimator lacks a class that is explained.
    """
    exact = _EXACT.get(model.family)
    if exact is None or (exact is _scikit_trees and not trees_of(model.estimator)):
        return "sampled"
    return f"exact for {_KINDS.get(exact, 'trees')}"


def affordable_rows(model: FittedModel, wanted: int) -> int:
    """How many of the ``wanted`` rows can be explained in seconds: all of them if contributions are computed.

    Sampling takes 24 predictions of a row for each column: rows are explained by up to 60,000 predictions, and by tables
    of up to 20 million cells; at least five rows are.
    """
    if how_explained(model) != "sampled":
        return wanted
    columns = max(len(model.encoder.columns_), 1)
    predictions = _PERMUTATIONS * (columns + 1)
    affordable = min(_MOST_PREDICTIONS // predictions, _MOST_CELLS // (predictions * columns))
    return min(wanted, max(_FEWEST_ROWS, affordable))


def _sampled(
    model: FittedModel, frame: pl.DataFrame, background: pl.DataFrame, outputs: npt.NDArray[np.intp], seed: int
) -> Attribution:
    """Shapley values by random orders: a background row turns into the explained one, column by column.

    Orders come in pairs, one the reverse of the other, which lowers the variance (Mitchell et al., 2022, section 4).
    The average row is the mean of the background rows that were drawn, so that the contributions add up exactly.
    """
    mixture = Mixture(model, pl.concat([background, frame.select(background.columns)]))
    width = len(mixture.columns)
    amounts, base, margin = np.zeros((frame.height, width)), np.zeros(frame.height), np.zeros(frame.height)
    for index in range(frame.height):
        generator = np.random.default_rng(derive_seed(seed, "shapley", index))
        orders = [generator.permutation(width) for _ in range(_PERMUTATIONS // 2)]
        orders = [order for pair in orders for order in (pair, pair[::-1])]
        drawn = generator.integers(0, background.height, _PERMUTATIONS // 2).repeat(2)
        predicted = mixture.predict(_walks(drawn, background.height + index, orders))
        scores = _output(predicted, int(outputs[index])).reshape(len(orders), width + 1)
        for order, path in zip(orders, scores, strict=True):
            amounts[index, order] += np.diff(path) / len(orders)
        base[index], margin[index] = scores[:, 0].mean(), scores[0, -1]
    scale = "value" if model.task is Task.REGRESSION else "probability"
    return Attribution(amounts, base, margin, scale, exact=False)


def _walks(starts: npt.NDArray[np.int64], end: int, orders: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.int64]:
    """For each order the rows that values are taken from: all from the start, then one more column at a time from the end."""
    taken_at = np.stack([np.argsort(order) for order in orders])
    steps = np.arange(taken_at.shape[1] + 1)
    has_turned = steps[np.newaxis, :, np.newaxis] > taken_at[:, np.newaxis, :]
    return np.where(has_turned, end, starts[:, np.newaxis, np.newaxis]).reshape(-1, taken_at.shape[1])


def _output(prediction: Array, output: int) -> Array:
    return prediction[:, output] if prediction.ndim == 2 else prediction


def _explanation(model: FittedModel, frame: pl.DataFrame, found: Attribution, index: int) -> RowExplanation:
    """The reasons for one row, the largest first; the caller says which row it is."""
    columns = [column.name for column in model.encoder.columns_]
    order = np.argsort(-np.abs(found.amounts[index]), kind="stable")
    return RowExplanation(
        row_id="",
        prediction=0.0,
        contributions=tuple(
            Contribution(columns[at], _shown(frame[columns[at]][index]), float(found.amounts[index, at]))
            for at in order
        ),
        scale=found.scale,
        base=float(found.base[index]),
        margin=float(found.margin[index]),
    )


def _named(task: Task, truth: float, names: RowNames) -> str:
    return _shown(truth) if task is Task.REGRESSION else names.classes[int(truth)]


def _explained(task: Task, output: int, names: RowNames) -> str:
    """The class whose score is explained: the positive one, or the decided one of several."""
    if task is Task.REGRESSION:
        return ""
    return names.classes[output if task is Task.MULTICLASS else 1]


def _shown(value: Any) -> str:
    """A cell as a person writes it."""
    if value is None:
        return "missing"
    text = f"{value:,g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
