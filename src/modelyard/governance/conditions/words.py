"""Conditions that somebody can enforce, and how they are written."""

import dataclasses
import enum
import re

from modelyard.core import ConfigError, Record
from modelyard.problem.duration import DURATION, seconds_of

__all__ = ["Condition", "ConditionKind", "duration_words", "parse_condition"]

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_WORDS = re.compile(r"\s*(day|hour|minute|second)s?")
_LENGTH = rf"(?P<length>{DURATION})"
_SHADOW = re.compile(rf"shadow (?:for )?{_LENGTH}")
_CANARY = re.compile(rf"canary (?:at )?(?P<percent>\d{{1,3}}) ?%(?: (?:for )?{_LENGTH})?")
_KNOWN = "shadow 7d, canary 10%, or canary 10% 1d"


class ConditionKind(enum.StrEnum):
    """What a version must have gone through: asked beside the champion, or answering a share of the requests."""

    SHADOW = "shadow"
    CANARY = "canary"


@dataclasses.dataclass(frozen=True)
class Condition(Record):
    """One condition.

    Parameters
    ----------
    kind
        See :class:`ConditionKind`.
    percent
        Of the requests that a canary must have answered, at least; 0 for a shadow.
    seconds
        How long, at least; 0 for as long as its plan says.
    """

    kind: ConditionKind
    percent: int
    seconds: float

    @property
    def text(self) -> str:
        """The one way in which it is written."""
        share = f" {self.percent}%" if self.kind is ConditionKind.CANARY else ""
        return f"{self.kind.value}{share}" + (f" {duration_words(self.seconds)}" if self.seconds else "")


def parse_condition(text: str) -> Condition:
    """A condition as people write it.

    Raises
    ------
    ConfigError
        If it is none that can be measured.

    >>> parse_condition("shadow for 7 days").text, parse_condition("Canary 10 %").text
    ('shadow 7d', 'canary 10%')
    """
    plain = _WORDS.sub(lambda found: found[1][0], " ".join(text.casefold().split()))
    shadow, canary = _SHADOW.fullmatch(plain), _CANARY.fullmatch(plain)
    if shadow:
        return Condition(ConditionKind.SHADOW, 0, seconds_of(shadow["length"]))
    if canary and 1 <= int(canary["percent"]) <= 100:
        return Condition(ConditionKind.CANARY, int(canary["percent"]), seconds_of(canary["length"] or ""))
    raise ConfigError(
        "nothing could enforce this condition",
        where="--condition",
        got=repr(text),
        cure=f"Write one of: {_KNOWN}; what cannot be measured belongs into the reason",
    )


def duration_words(seconds: float) -> str:
    """A length of time as the project file writes it.

    >>> duration_words(90_000), duration_words(0)
    ('1d1h', '0s')
    """
    left, parts = round(seconds), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
