"""Whether those who explain agree: contributions with LIME and with shuffling, and the winner with other families."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.reasons.lime import local_lines
from modelyard.evaluation.reasons.mixing import Mixture
from modelyard.evaluation.reasons.records import MethodAgreement, ModelAgreement, ReasonSummary, SecondOpinion
from modelyard.evaluation.reasons.summary import rank_correlation
from modelyard.evaluation.records import Importance, RowExplanation
from modelyard.problem import Task, metric_spec
from modelyard.training.families.family import Family
from modelyard.training.model import FittedModel
from modelyard.training.records import Candidate, TrainingRun
from modelyard.training.search.refit import fit_alone

__all__ = ["compare_methods", "compare_models", "second_opinions"]

Array = npt.NDArray[np.float64]
_TOP = 3
_TOP_OF_MODELS = 5
_FEWEST_COLUMNS = 3
_MODELS = 3
_TRAINING_ROWS, _SHUFFLED_ROWS, _MOST_COLUMNS = 2000, 500, 100
_GOOD_FIT = 0.5


def second_opinions(
    model: FittedModel,
    frame: pl.DataFrame,
    explanations: Sequence[tuple[int, RowExplanation]],
    background: pl.DataFrame,
    *,
    seed: int,
) -> tuple[SecondOpinion, ...]:
    """LIME's reasons for rows that contributions were computed for.

    Parameters
    ----------
    explanations
        Each with its row's position in ``frame``.
    """
    positions = np.array([position for position, _ in explanations], dtype=np.intp)
    part = frame[positions]
    outputs = np.zeros(len(positions), dtype=np.intp)
    if model.task is Task.MULTICLASS:
        outputs = np.array([model.classes.index(item.explained_class) for _, item in explanations], dtype=np.intp)
    names = [column.name for column in model.encoder.columns_]
    found = []
    lines = local_lines(model, part, background, outputs=outputs, seed=seed)
    for (_, item), line in zip(explanations, lines, strict=False):
        order = np.argsort(-np.abs(line.amounts), kind="stable")
        ranked = tuple(names[at] for at in order)
        found.append(SecondOpinion(item.row_id, ranked, tuple(line.amounts[order].tolist()), line.fit))
    return tuple(found)


def compare_methods(
    explanations: Sequence[RowExplanation],
    opinions: Sequence[SecondOpinion],
    summary: ReasonSummary | None,
    importance: Sequence[Importance],
) -> MethodAgreement | None:
    """How far contributions agree with LIME on the same rows, and with shuffling on the whole; None without rows.

    Parameters
    ----------
    explanations, opinions
        Of the same rows, in the same order.
    """
    if not opinions or not explanations[0].contributions:
        return None
    top = min(_TOP, len(opinions[0].columns))
    shared, signs = [], []
    for item, opinion in zip(explanations, opinions, strict=True):
        first = {part.feature: part.amount for part in item.contributions[:top]}
        second = dict(zip(opinion.columns[:top], opinion.amounts[:top], strict=True))
        both = first.keys() & second.keys()
        shared.append(len(both) / top)
        signs += [first[name] * second[name] > 0 for name in both if abs(first[name]) > 0]
    same_sign = float(np.mean(signs)) if signs else None
    return MethodAgreement(
        rows=len(opinions),
        same_top=float(np.mean(shared)),
        same_sign=same_sign,
        fit=float(np.median([opinion.fit for opinion in opinions])),
        importance=_with_shuffling(summary, importance),
        top=top,
    )


def _with_shuffling(summary: ReasonSummary | None, importance: Sequence[Importance]) -> float | None:
    sizes = {effect.feature: effect.size for effect in summary.effects} if summary else {}
    both = [item for item in importance if item.feature in sizes]
    if len(both) < _FEWEST_COLUMNS:
        return None
    return rank_correlation(np.array([sizes[item.feature] for item in both]), np.array([item.drop for item in both]))


def compare_models(
    model: FittedModel,
    run: TrainingRun,
    training: tuple[pl.DataFrame, Array],
    frame: pl.DataFrame,
    families: Mapping[str, Family],
    *,
    seed: int,
) -> tuple[ModelAgreement, ...]:
    """How far the best candidates of up to three other families look at the same columns as the winner.

    They are fitted on at most 2,000 training rows. What a column counts is the mean absolute change of the prediction
    when its values are shuffled; the same shuffles for all models.

    Parameters
    ----------
    training
        Rows to fit on, with their encoded target.
    frame
        Held-out rows; at most 500 of them are shuffled.
    families
        Those that can be fitted, by name.
    """
    rows, truth = _sample(training, seed)
    if model.task.is_classification and len(np.unique(truth)) < len(model.present):
        return ()
    part = frame[np.sort(np.random.default_rng(seed).permutation(frame.height)[:_SHUFFLED_ROWS])]
    columns = [column.name for column in model.encoder.columns_][:_MOST_COLUMNS]
    if len(columns) < _FEWEST_COLUMNS or part.height == 0:
        return ()
    own, answers = _changes(model, part, columns, seed), model.predict(part)
    found = []
    for rival in _rivals(run, model.family, families):
        other = fit_alone(
            model.learning, rows, truth, rival, families[rival.family], seed=derive_seed(seed, rival.name)
        )
        theirs = _changes(other, part, columns, seed)
        top = min(_TOP_OF_MODELS, len(columns))
        shared = set(np.argsort(-own, kind="stable")[:top]) & set(np.argsort(-theirs, kind="stable")[:top])
        found.append(
            ModelAgreement(
                candidate=rival.name,
                family=rival.family,
                correlation=rank_correlation(own, theirs),
                shared=len(shared),
                of=top,
                predictions=rank_correlation(answers.ravel(), other.predict(part).ravel()),
                as_good=_as_good(run, rival),
            )
        )
    return tuple(found)


def _sample(training: tuple[pl.DataFrame, Array], seed: int) -> tuple[pl.DataFrame, Array]:
    frame, truth = training
    kept = np.sort(np.random.default_rng(seed).permutation(frame.height)[:_TRAINING_ROWS])
    return frame[kept], truth[kept]


def _rivals(run: TrainingRun, own: str, families: Mapping[str, Family]) -> Iterator[Candidate]:
    """The best complete candidate of each family but ``own`` that can be fitted, the best first."""
    sign = -1 if metric_spec(run.metric).greater_is_better else 1
    done = [item for item in run.candidates if item.is_complete and item.mean is not None and item.family in families]
    best: dict[str, Candidate] = {}
    for item in sorted(done, key=lambda item: sign * (item.mean or 0.0)):
        best.setdefault(item.family, item)
    best.pop(own, None)
    return iter(list(best.values())[:_MODELS])


def _as_good(run: TrainingRun, rival: Candidate) -> bool:
    """Whether the rival lies within one standard error of the winner over the folds."""
    winner = next((item for item in run.candidates if item.name == run.winner), None)
    if winner is None or winner.mean is None:
        return False
    sign = 1 if metric_spec(run.metric).greater_is_better else -1
    behind = sign * (winner.mean - (rival.mean or 0.0))
    return behind <= (winner.sd or 0.0) / math.sqrt(max(len(winner.fold_scores), 1))


def _changes(model: FittedModel, frame: pl.DataFrame, columns: Sequence[str], seed: int) -> Array:
    """Mean absolute change of the prediction when each column is shuffled."""
    before, mixture = model.predict(frame), Mixture(model, frame)
    orders = {name: np.random.default_rng(derive_seed(seed, name)).permutation(frame.height) for name in columns}
    return np.array([np.abs(mixture.shuffled(name, [orders[name]])[0] - before).mean() for name in columns])
