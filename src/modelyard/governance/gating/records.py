"""What a gate asked and found, and the decision of all of them together."""

import dataclasses
import datetime as dt

from modelyard.core import Record

__all__ = ["Evidence", "GateAnswer", "GateDecision"]


@dataclasses.dataclass(frozen=True)
class Evidence(Record):
    """What the bytes of a version show.

    Parameters
    ----------
    failed
        Checks of the package that failed, each in a few words.
    opened_test
        Whether its figures come from the sealed test part.
    card
        Share of the card's fields for people that are filled.
    empty
        Those that are not.
    gap, gap_words
        The largest difference in rates between groups of a protected column, and between which; None where it cannot be
        told, and then why.
    gap_applies
        False for tasks without such rates.
    """

    failed: tuple[str, ...]
    opened_test: bool
    card: float
    empty: tuple[str, ...]
    gap: float | None
    gap_words: str
    gap_applies: bool


@dataclasses.dataclass(frozen=True)
class GateAnswer(Record):
    """One gate.

    Parameters
    ----------
    gate
        Its name in the policy.
    wanted, got
        What the policy asks, and what there is, in words.
    passed
        Whether the second is enough for the first.
    cure
        What to do if it is not; ``""`` if it is.
    """

    gate: str
    wanted: str
    got: str
    passed: bool
    cure: str = ""


@dataclasses.dataclass(frozen=True)
class GateDecision(Record):
    """What all gates said of a version, at one step, under one policy.

    Parameters
    ----------
    subject
        Name and version.
    digest
        Of the package.
    step
        ``approve``, ``stage``, ``deploy`` (a rollout begins) or ``promote``.
    tier, policy
        What is at stake, and the digest of what is asked.
    gates
        The answers, in order.
    looser
        Rules by which the project file asks for less than its tier.
    at
        When.
    """

    subject: str
    digest: str
    step: str
    tier: str
    policy: str
    gates: tuple[GateAnswer, ...]
    looser: tuple[str, ...]
    at: dt.datetime

    @property
    def failed(self) -> tuple[GateAnswer, ...]:
        """The gates that said no."""
        return tuple(gate for gate in self.gates if not gate.passed)

    @property
    def passed(self) -> bool:
        """True if none did."""
        return not self.failed
