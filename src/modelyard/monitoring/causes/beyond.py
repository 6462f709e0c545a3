"""What takes the loss off: another level, another shape of the score, or features beyond the score. Each is held out."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from modelyard.monitoring.causes.case import LabelledRows
from modelyard.monitoring.causes.light_models import fit_correction, fit_ridge, recalibrated, row_losses
from modelyard.monitoring.causes.outcomes import ScoreReference, as_logit
from modelyard.problem import Task

__all__ = ["Account", "Share", "View", "account", "views"]

Floats = npt.NDArray[np.float64]

_FOLDS = 5
_WIDTH = 1.96
_MOST_CLASSES = 5
_RAREST = 10


@dataclasses.dataclass(frozen=True)
class View:
    """One outcome as seen by the light models: 0 or 1 and a log-odds, or a number and its prediction."""

    truth: Floats
    margin: Floats
    logistic: bool


@dataclasses.dataclass(frozen=True)
class Share:
    """The share of the loss that something takes off, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Its standard error."""
        return (self.high - self.low) / (2 * _WIDTH)


@dataclasses.dataclass(frozen=True)
class Account:
    """The loss of each row under four models, each held out: ``as_is``, at another level, of another shape, with features.

    The loss is the log loss of the outcome (of several classes: the sum over the five most frequent of one against
    the rest), or the squared error.
    """

    as_is: Floats
    level: Floats
    shape: Floats
    features: Floats

    def share(self, before: Floats, after: Floats, weight: Floats | None = None) -> Share:
        """By how much ``after`` is below ``before``, as a share of the loss of ``before``; rows may be weighted."""
        count = np.ones(len(before)) if weight is None else weight
        total = float(count.sum())
        scale = float((count * before).sum()) / total or 1.0
        mean = float((count * (before - after)).sum()) / total
        error = math.sqrt(float((count**2 * (before - after - mean) ** 2).sum())) / total
        return Share(mean / scale, (mean - _WIDTH * error) / scale, (mean + _WIDTH * error) / scale)

    @property
    def by_level(self) -> Share:
        """What another level takes off."""
        return self.share(self.as_is, self.level)

    @property
    def by_features(self) -> Share:
        """What features take off, beyond any relation of outcome and score."""
        return self.share(self.shape, self.features)

    def beyond_level(self, weight: Floats | None = None) -> Share:
        """What another shape of the score and features take off together, beyond another level; rows may be weighted.

        Weighted rows are held against the better of another level and none: a level that other rows need is not theirs.
        """
        if weight is not None and (weight * self.as_is).sum() < (weight * self.level).sum():
            return self.share(self.as_is, self.features, weight)
        return self.share(self.level, self.features, weight)

    @property
    def part(self) -> float:
        """Of all that can be taken off, the part that another level does not."""
        beyond = float((self.level - self.features).mean())
        by_level = max(float((self.as_is - self.level).mean()), 0.0)
        return beyond / max(beyond + by_level, 1e-12)


def views(rows: LabelledRows, task: Task, reference: ScoreReference | None) -> Iterator[View]:
    """The outcomes that light models are fitted to; margins are as the reference says that scores were to be read."""
    if task is Task.REGRESSION:
        yield View(rows.truth, rows.prediction, logistic=False)
    elif task is Task.BINARY:
        margin = as_logit(rows.prediction) if reference is None else reference.margin(rows.prediction)
        yield View(rows.truth, margin, logistic=True)
    else:
        seen = np.bincount(rows.truth.astype(np.int64), minlength=rows.prediction.shape[1])
        for code in np.argsort(-seen, kind="stable")[:_MOST_CLASSES]:
            if min(seen[code], len(rows) - seen[code]) >= _RAREST:
                yield View((rows.truth == code) * 1.0, as_logit(rows.prediction[:, code]), logistic=True)


def account(rows: LabelledRows, task: Task, reference: ScoreReference | None, seed: int) -> Account:
    """Fit the four models on four fifths of the rows, and take the loss of the last fifth, in turn."""
    fold = np.random.default_rng(seed).permutation(len(rows)) % _FOLDS
    losses = np.zeros((4, len(rows)))
    for view in views(rows, task, reference):
        for number in range(_FOLDS):
            rest, held = fold != number, fold == number
            losses[:, held] += _held_out(view, rows.features, rest, held)
    return Account(*losses)


def _held_out(view: View, features: Floats, rest: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_]) -> Floats:
    """Losses of the held-out rows, shape (4, rows)."""
    truth, margin = view.truth[rest], view.margin[rest]
    level = fit_ridge(np.ones((len(truth), 1)), truth, margin, logistic=view.logistic)[0]
    bent = recalibrated(truth, margin, view.margin, logistic=view.logistic)
    correction = fit_correction(features[rest], truth, bent[rest], logistic=view.logistic)
    margins = (
        view.margin[held],
        view.margin[held] + level,
        bent[held],
        bent[held] + correction.add(features[held]),
    )
    return np.array([row_losses(view.truth[held], one, logistic=view.logistic) for one in margins])
