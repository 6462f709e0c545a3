"""What a verification has to say."""

import dataclasses
import enum
from typing import Self

from modelyard.core import Record

__all__ = ["Check", "Outcome", "Verification"]


class Outcome(enum.StrEnum):
    """How a check ended: ``incomplete`` asks a person for something; ``skipped``: what was found before forbids to look."""

    PASSED = "passed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True)
class Check(Record):
    """One thing that was looked at.

    Parameters
    ----------
    name
        ``files``, ``digest``, ``parity``, ``signature``, ``mlmodel`` or ``card``.
    outcome
        See :class:`Outcome`.
    said
        What was found, in one sentence.
    details
        Everything that is wrong or empty, each in a few words.
    """

    name: str
    outcome: Outcome
    said: str
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, said: str, wrong: tuple[str, ...]) -> Self:
        """Passed if nothing is wrong."""
        if not wrong:
            return cls(name, Outcome.PASSED, said)
        count = f"{len(wrong)} thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
        return cls(name, Outcome.FAILED, f"{count} wrong", wrong)


@dataclasses.dataclass(frozen=True)
class Verification(Record):
    """All checks of one package.

    Parameters
    ----------
    folder
        Where it lies.
    name, version, protocol, digest
        As its manifest says.
    checks
        In the order in which they were made.
    """

    folder: str
    name: str
    version: str
    protocol: int
    digest: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True if nothing failed and nothing was skipped."""
        return all(check.outcome in (Outcome.PASSED, Outcome.INCOMPLETE) for check in self.checks)

    def check(self, name: str) -> Check:
        """The check of a name."""
        return next(check for check in self.checks if check.name == name)
