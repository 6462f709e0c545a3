"""Why single rows got their predictions: contributions of columns that sum to the prediction minus the average.

Trees are explained exactly by TreeSHAP (Lundberg et al., 2020): by the library's own for LightGBM, XGBoost and CatBoost,
by :mod:`modelyard.evaluation.reasons.trees` for those of scikit-learn that are not too large. Linear and additive models
are explained by their terms, blends by those of their members where these add up
(:mod:`modelyard.evaluation.reasons.blends`), everything else by sampled Shapley values (Štrumbelj and Kononenko, 2014).
Encoded features are added up to the column that they came from.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.reasons.blends import blend_contributions, blend_kinds, can_explain_blend
from modelyard.evaluation.reasons.methods import Attribution, Encoded, Method, kind_of, method_of_family
from modelyard.evaluation.reasons.mixing import Mixture
from modelyard.evaluation.records import Contribution, RowExplanation
from modelyard.evaluation.weaknesses.losses import row_losses
from modelyard.problem import Task
from modelyard.training.blending import BlendEstimator
from modelyard.training.model import FittedModel

__all__ = [
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
_ROWS_AT_ONCE = 20_000
"""Rows that a model is asked for together: a forest takes longer to be called than to answer for some hundreds."""

_SHOWN_CHARACTERS = 80


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
    method = _method(model)
    if method is not None and _has_own_outputs(model, outputs):
        # the estimator knows only the classes that it was trained on
        known = np.searchsorted(model.present, outputs) if model.task is Task.MULTICLASS else outputs
        encoded = Encoded(model.encoder.transform(frame), model.encoder.transform(background[kept]), known)
        found = method(model.estimator, model.task, encoded)
        if found is not None:
            return dataclasses.replace(found, amounts=_by_column(model, found.amounts))
    return _sampled(model, frame, background[kept], outputs, seed)


def _has_own_outputs(model: FittedModel, outputs: npt.NDArray[np.intp]) -> bool:
    """True unless the estimator lacks a class that is explained, or has one output for the two classes it knows."""
    if model.task is not Task.MULTICLASS:
        return True
    return len(model.present) > 2 and bool(np.isin(outputs, model.present).all())


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


def how_explained(model: FittedModel) -> str:
    """``exact for trees``, ``linear models``, ``additive models`` or several of them, or ``sampled``.

    A model of several classes may still have to be sampled where the estimator lacks a class that is explained.
    """
    method = _method(model)
    if method is None:
        return "sampled"
    if method is blend_contributions:
        return f"exact for {' and '.join(blend_kinds(model.estimator))}"
    return f"exact for {kind_of(method)}"


def _method(model: FittedModel) -> Method | None:
    """How contributions are computed; None if they must be sampled."""
    if isinstance(model.estimator, BlendEstimator):
        return blend_contributions if can_explain_blend(model.estimator, model.task) else None
    return method_of_family(model.family, model.estimator)


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
    at_once = max(1, _ROWS_AT_ONCE // (_PERMUTATIONS * (width + 1)))
    for first in range(0, frame.height, at_once):
        batch = range(first, min(first + at_once, frame.height))
        orders, walks = zip(*(_random_walks(background.height, index, width, seed) for index in batch), strict=True)
        parts = np.split(mixture.predict(np.concatenate(walks)), len(batch))
        for index, own, predicted in zip(batch, orders, parts, strict=True):
            scores = _output(predicted, int(outputs[index])).reshape(len(own), width + 1)
            for order, path in zip(own, scores, strict=True):
                amounts[index, order] += np.diff(path) / len(own)
            base[index], margin[index] = scores[:, 0].mean(), scores[0, -1]
    scale = "value" if model.task is Task.REGRESSION else "probability"
    return Attribution(amounts, base, margin, scale, exact=False)


def _random_walks(
    background: int, index: int, width: int, seed: int
) -> tuple[list[npt.NDArray[np.intp]], npt.NDArray[np.int64]]:
    """Orders of the columns, and for each the rows that values are taken from, of the row at ``index`` behind the background."""
    generator = np.random.default_rng(derive_seed(seed, "shapley", index))
    orders = [generator.permutation(width) for _ in range(_PERMUTATIONS // 2)]
    orders = [order for pair in orders for order in (pair, pair[::-1])]
    drawn = generator.integers(0, background, _PERMUTATIONS // 2).repeat(2)
    return orders, _walks(drawn, background + index, orders)


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
