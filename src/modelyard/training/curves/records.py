"""What is known about the winner by the number of rows that it learns from."""

import dataclasses
import enum

from modelyard.core import Record

__all__ = [
    "CurvePoint",
    "Forecast",
    "LearningCurve",
    "MoreRows",
    "Remedy",
    "Trial",
    "ValidationCurve",
    "WeightComparison",
]


class MoreRows(enum.StrEnum):
    """Whether twice as many rows would improve the primary metric by a margin that matters."""

    HELP = "help"
    DO_NOT_HELP = "do not help"
    HARM = "harm"
    UNCERTAIN = "uncertain"


@dataclasses.dataclass(frozen=True)
class CurvePoint(Record):
    """The primary metric at one number of rows.

    Parameters
    ----------
    rows
        Rows learnt from, the mean over folds.
    train, train_low, train_high
        On the rows that were learnt from, with a 90 % interval over folds.
    held, held_low, held_high
        On the rows held out, with a 90 % interval over folds and rows.
    """

    rows: float
    train: float
    train_low: float
    train_high: float
    held: float
    held_low: float
    held_high: float


@dataclasses.dataclass(frozen=True)
class Forecast(Record):
    """What more rows would bring, by the fitted law.

    Parameters
    ----------
    times
        How many times the rows of the training part.
    score
        The metric that is expected then.
    gain, low, high
        The improvement over what the training part's rows give, never negative, with a 90 % interval.
    """

    times: int
    score: float
    gain: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class LearningCurve(Record):
    """The winner by the number of rows.

    Parameters
    ----------
    metric
        The primary metric.
    rows
        Rows of the training part, to which the forecasts refer.
    points
        From few rows to all; empty if no curve could be drawn.
    law
        ``(a, b, c)`` of the error ``a + b * (n / rows) ** -c``, where the error is the metric itself, or one minus it
        if greater is better, fitted from a quarter of the rows on. None without points.
    forecasts
        At twice and at ten times the rows.
    margin
        The smallest improvement that matters.
    more_rows
        The answer.
    answer
        The same in one sentence with its numbers.
    diagnosis
        Over- or underfitting, in one sentence with its numbers; empty without points.
    """

    metric: str
    rows: int
    points: tuple[CurvePoint, ...]
    law: tuple[float, float, float] | None
    forecasts: tuple[Forecast, ...]
    margin: float
    more_rows: MoreRows
    answer: str
    diagnosis: str = ""


@dataclasses.dataclass(frozen=True)
class Trial(Record):
    """One trial of tuning.

    Parameters
    ----------
    value
        Of the parameter.
    score, sd
        Mean and standard deviation of the metric over folds, on the rows held out.
    train
        The mean on the rows learnt from; None where it was not measured.
    """

    value: float
    score: float
    sd: float
    train: float | None = None


@dataclasses.dataclass(frozen=True)
class ValidationCurve(Record):
    """The tuned parameter that matters most.

    Parameters
    ----------
    metric
        The primary metric.
    family, parameter
        What was tuned.
    trials
        By value, ascending.
    explained
        The share of the scores' variance that the parameter alone explains.
    chance
        How often the luckiest parameter would explain as much if none mattered.
    answer
        The same in one sentence.
    diagnosis
        Towards which values the family over- or underfits, in words with their numbers; empty where the rows learnt from were not
        looked at, or the parameter explains no more than chance would.
    """

    metric: str
    family: str
    parameter: str
    trials: tuple[Trial, ...]
    explained: float
    chance: float
    answer: str
    diagnosis: str = ""


@dataclasses.dataclass(frozen=True)
class Remedy(Record):
    """How one answer to rare classes does, each figure a mean over folds.

    Parameters
    ----------
    name
        The winner's; ``<winner>-weighted``, ``<winner>-smote`` or ``<winner>-under-sampled``.
    ranking
        PR AUC; of several classes the mean of each against the rest.
    log_loss, log_loss_calibrated
        Of the probabilities as they come, and after a calibration learnt on the other folds.
    f1, f1_moved
        At 0.5, and at the threshold that is best on the other folds; of several classes macro F1 of the likeliest class, and
        of the decision that is best on the other folds.
    gain, standard_error
        Over the winner as it is, in the primary metric, both calibrated, on the same rows; positive if better.
    mean_prediction
        Of the probabilities as they come; to be held against the share of positives, or of the class that is watched.
    """

    name: str
    ranking: float
    log_loss: float
    log_loss_calibrated: float
    f1: float
    f1_moved: float
    gain: float = 0.0
    standard_error: float = 0.0
    mean_prediction: float | None = None


@dataclasses.dataclass(frozen=True)
class WeightComparison(Record):
    """The winner with each answer to rare classes and with none, on the same folds.

    Parameters
    ----------
    metric
        The primary metric.
    rare_share
        Share of the rarest class.
    remedies
        None, and then those that were tried: class weights, SMOTE, under-sampling.
    gain, standard_error
        Those of the remedy that gains most.
    answer
        The same in words.
    won
        The remedy that took the winner's place; empty where none did, or none could.
    corrected
        True if the remedies were candidates: their probabilities were set back to the true share before they were measured.
    watched
        Several classes: the rarest, whose mean probability is told; empty for two, where it is the positive one.
    """

    metric: str
    rare_share: float
    remedies: tuple[Remedy, ...]
    gain: float
    standard_error: float
    answer: str
    won: str = ""
    corrected: bool = False
    watched: str = ""
