"""What an action would gain: learnt from earlier labelled rows, measured on later ones."""

import numpy as np
import numpy.typing as npt

from modelyard.monitoring.causes.case import Case, LabelledRows
from modelyard.monitoring.causes.light_models import chance, fit_correction, recalibrated
from modelyard.monitoring.causes.outcomes import as_logit
from modelyard.monitoring.causes.records import Action, ExpectedGain
from modelyard.problem import Task

__all__ = ["expected_gain"]

Floats = npt.NDArray[np.float64]

_EARLIER = 0.6
_FEWEST = 200
_CONFIDENCE = 0.95


def expected_gain(case: Case, action: Action) -> ExpectedGain | None:
    """The gain of recalibrating or retraining on the later 40 % of the labelled rows, learnt from the earlier 60 %.

    Retraining is measured by a light stand-in: the score goes on learning from the features. A whole retraining has more
    rows and better models, so its gain is rather higher. Recalibration is measured by log loss (numbers: RMSE), since
    a ranking does not feel it; retraining by the primary metric. None with fewer than 200 rows, or where the
    metric is not defined.
    """
    from modelyard.evaluation.comparison import compare

    rows = case.recent
    cut = int(_EARLIER * len(rows))
    if len(rows) < _FEWEST or not rows.has_scores or _is_one_sided(rows, cut, case.task):
        return None
    adapted = _adapted(rows, cut, case.task, with_features=action is Action.RETRAIN)
    metric = case.metric if action is Action.RETRAIN else _LOSSES[case.task]
    threshold = 0.5 if case.threshold is None else case.threshold
    found = compare(
        metric,
        rows.truth[cut:],
        _proper(rows.prediction[cut:], case.task),
        adapted,
        confidence=_CONFIDENCE,
        seed=case.seed,
        thresholds=(threshold, threshold),
    )
    if found.champion is None or found.challenger is None:
        return None
    return ExpectedGain(
        action, metric, found.champion, found.challenger, found.difference, found.low, found.high, found.rows, cut
    )


_LOSSES = {Task.BINARY: "log_loss", Task.MULTICLASS: "log_loss", Task.REGRESSION: "rmse"}


def _is_one_sided(rows: LabelledRows, cut: int, task: Task) -> bool:
    """True if either part holds one class only."""
    return task.is_classification and min(len(np.unique(part)) for part in (rows.truth[:cut], rows.truth[cut:])) < 2


def _proper(prediction: Floats, task: Task) -> Floats:
    """Predictions within the bounds that the light models keep too, so that both sides are judged alike."""
    return prediction if task is Task.REGRESSION else np.clip(prediction, 1e-6, 1 - 1e-6)


def _adapted(rows: LabelledRows, cut: int, task: Task, *, with_features: bool) -> Floats:
    """Predictions of the later rows after the action."""
    if task is Task.REGRESSION:
        return _margin(rows.truth, rows.prediction, rows.features, cut, logistic=False, with_features=with_features)
    if task is Task.BINARY:
        logit = as_logit(rows.prediction)
        return chance(_margin(rows.truth, logit, rows.features, cut, logistic=True, with_features=with_features))
    shares = np.empty((len(rows) - cut, rows.prediction.shape[1]))
    for code in range(shares.shape[1]):
        truth, logit = (rows.truth == code) * 1.0, as_logit(rows.prediction[:, code])
        shares[:, code] = chance(_margin(truth, logit, rows.features, cut, logistic=True, with_features=with_features))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _margin(
    truth: Floats, margin: Floats, features: Floats, cut: int, *, logistic: bool, with_features: bool
) -> Floats:
    bent = recalibrated(truth[:cut], margin[:cut], margin, logistic=logistic)
    if not with_features:
        return bent[cut:]
    correction = fit_correction(features[:cut], truth[:cut], bent[:cut], logistic=logistic)
    return np.asarray(bent[cut:] + correction.add(features[cut:]))
