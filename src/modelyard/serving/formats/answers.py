"""Predictions, and how each protocol words them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from modelyard.serving.formats.open_inference import tensor

__all__ = ["Flag", "Prediction", "invocation_answer", "offered_outputs", "open_inference_outputs"]


class Flag(msgspec.Struct, frozen=True):
    """A value that was accepted but is unlike the training data."""

    field: str
    rule: str
    got: str
    expected: str


class Prediction(msgspec.Struct, frozen=True):
    """One answer.

    Parameters
    ----------
    id
        UUIDv7; labels come back under it.
    score
        Probability of the positive class (binary) or of the decided class (multiclass), or the predicted value. Of anomalies how
        strange the row is, in usual deviations; of clusters how far it belongs to its own.
    label
        The decided class, by the package's threshold; for regression the value.
    flags
        Suspicious values in the row.
    model, version
        Who answered.
    probabilities
        Class to probability; multiclass, and clusters.
    prediction_interval, prediction_set, coverage
        Where it was asked for: an interval (values), or the classes that cannot be ruled out, and the share of cases in
        which they hold the truth.
    prediction_quantiles
        Where it was asked for and the package has them: value by level.
    """

    id: str
    score: float
    label: str | float
    flags: tuple[Flag, ...]
    model: str
    version: str
    probabilities: dict[str, float] | msgspec.UnsetType = msgspec.UNSET
    prediction_interval: Sequence[float] | msgspec.UnsetType = msgspec.UNSET
    prediction_set: Sequence[str] | msgspec.UnsetType = msgspec.UNSET
    coverage: float | msgspec.UnsetType = msgspec.UNSET
    prediction_quantiles: dict[str, float] | msgspec.UnsetType = msgspec.UNSET


def invocation_answer(answers: Sequence[Prediction], classes: Sequence[str]) -> dict[str, Any]:
    """MLflow's answer: the rows of the table that the package's ``predict`` gives there.

    Each has ``prediction``, for classes ``score``, and for more than two of them ``score.<class>``. The prediction ids
    stand beside them, for feedback; MLflow's clients read ``predictions`` only.
    """
    return {
        "predictions": [_invocation_row(answer, classes) for answer in answers],
        "prediction_ids": [answer.id for answer in answers],
    }


def _invocation_row(answer: Prediction, classes: Sequence[str]) -> dict[str, Any]:
    """One row of MLflow's table."""
    row: dict[str, Any] = {"prediction": answer.label}
    if classes:
        row["score"] = answer.score
    if answer.probabilities:
        row |= {f"score.{name}": share for name, share in answer.probabilities.items()}
    return row


def offered_outputs(classes: Sequence[str]) -> tuple[str, ...]:
    """Names of the output tensors of a model with these classes (none for regression).

    >>> offered_outputs(("no", "yes"))
    ('score', 'label', 'prediction_id', 'flags')
    """
    if not classes:
        return ("score", "prediction_id", "flags")
    probabilities = ("probabilities",) if len(classes) > 2 else ()
    return ("score", *probabilities, "label", "prediction_id", "flags")


def open_inference_outputs(
    answers: Sequence[Prediction], classes: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """The output tensors called ``names``, in that order."""
    return [_output(name, answers, classes) for name in names]


def _output(name: str, answers: Sequence[Prediction], classes: Sequence[str]) -> dict[str, Any]:
    """One output tensor."""
    if name == "score":
        return tensor("score", "FP64", [answer.score for answer in answers])
    if name == "probabilities":
        flat = [answer.probabilities[label] for answer in answers if answer.probabilities for label in classes]
        return tensor("probabilities", "FP64", flat, width=len(classes))
    if name == "label":
        return tensor("label", "BYTES", [str(answer.label) for answer in answers])
    if name == "prediction_id":
        return tensor("prediction_id", "BYTES", [answer.id for answer in answers])
    texts = ["; ".join(f"{flag.field}: {flag.rule}" for flag in answer.flags) for answer in answers]
    return tensor("flags", "BYTES", texts)
