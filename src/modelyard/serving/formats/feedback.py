"""The body of ``/feedback``: labels for predictions given earlier."""

import math
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from modelyard.serving.formats.problems import FieldError, RefusedRequestError, shown

__all__ = ["FeedbackRecord", "parse_feedback"]

_CURE = "Send {'id': prediction id, 'label': what turned out to be true}, or a list of such objects"


class FeedbackRecord(msgspec.Struct, frozen=True):
    """A label that came back: the prediction's id, the label as text, and when it came (ISO 8601, UTC)."""

    id: str
    label: str
    at: str


def parse_feedback(body: Any, classes: Sequence[str], at: str) -> list[FeedbackRecord]:
    """The labels of a body; ``classes`` is empty for regression, where a label is a finite number.

    >>> parse_feedback({"id": "0190163d-8694-739b-aea5-966c26f8ad91", "label": 3.5}, (), "2026-01-01T00:00:00Z")[0].label
    '3.5'

    Raises
    ------
    RefusedRequestError
        With status 422, naming each entry, if one has no valid id or a label that the model cannot give.
    """
    entries = body if isinstance(body, list) else [body]
    if not entries:
        raise RefusedRequestError(422, "not-feedback", "there is no label", cure=_CURE)
    records: list[FeedbackRecord] = []
    errors: list[FieldError] = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not {"id", "label"} <= entry.keys():
            errors.append(FieldError("", shown(entry), "an object with id and label", row=number))
            continue
        identifier = _identifier(entry["id"])
        label = _label(entry["label"], classes)
        if identifier is None:
            errors.append(FieldError("id", shown(entry["id"]), "the id of a prediction (a UUID)", row=number))
        if label is None:
            expected = f"one of {list(classes)}" if classes else "a finite number"
            errors.append(FieldError("label", shown(entry["label"]), expected, row=number))
        if identifier is not None and label is not None:
            records.append(FeedbackRecord(identifier, label, at))
    if errors:
        raise RefusedRequestError(422, "not-feedback", "a label cannot be recorded", cure=_CURE, errors=errors)
    return records


def _identifier(value: Any) -> str | None:
    """The id in its usual spelling, or None."""
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _label(value: Any, classes: Sequence[str]) -> str | None:
    """The label as text, or None if the model cannot give it; 1, 1.0 and "1" are one class."""
    if not classes:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return repr(value) if is_number and _is_finite(value) else None
    if isinstance(value, bool):
        value = "true" if value else "false"
    spellings = [value if isinstance(value, str) else repr(value)]
    if isinstance(value, float) and value.is_integer():
        spellings.append(repr(int(value)))
    if isinstance(value, int):
        spellings.append(f"{value}.0")
    return next((text for text in spellings if text in classes), None)


def _is_finite(value: float) -> bool:
    """True for numbers that a double holds."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
