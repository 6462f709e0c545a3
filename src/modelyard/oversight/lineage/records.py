"""What is told of a version, and of one prediction."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record
from modelyard.governance import Approval
from modelyard.oversight.lineage.steps import Thing

__all__ = ["GivenApproval", "Link", "LoggedAnswer", "PredictionTrace", "Traffic", "VersionLineage"]


@dataclasses.dataclass(frozen=True)
class Link(Record):
    """One step, and the thing that it gave.

    Parameters
    ----------
    job
        The verb.
    thing
        What came out; None for a word alone, such as an approval.
    given
        What went in.
    at, by
        When it ended, and who did it; ``""`` where no record says so.
    says
        What is known of it, in a few words.
    failed
        Why it failed; ``""`` if it did not.
    """

    job: str
    thing: Thing | None
    given: tuple[Thing, ...]
    at: dt.datetime
    by: str
    says: str
    failed: str = ""


@dataclasses.dataclass(frozen=True)
class GivenApproval(Record):
    """An approval, and whether it counts now; ``void`` says why not."""

    approval: Approval
    in_force: bool
    void: str = ""


@dataclasses.dataclass(frozen=True)
class Traffic(Record):
    """What the log holds of a version: answers, what it said in shadow, labels that came back, and from when to when."""

    answers: int
    shadows: int
    labels: int
    since: dt.datetime | None
    until: dt.datetime | None


@dataclasses.dataclass(frozen=True)
class VersionLineage(Record):
    """A version with all that it came from, and all that came of it.

    Parameters
    ----------
    subject, digest, stage
        The version, its package's digest, and where it stands.
    intact
        What is wrong with the package's bytes now; ``""`` if they are those that were registered.
    code_commit
        Commit of the project when it was packaged; ``""`` if it is not known.
    environment
        Versions of Python and of the libraries that computed.
    made_from
        From the source of rows to the registered version.
    approvals
        Who approved it.
    became
        What was done with it, in order.
    traffic
        What it has answered.
    successors
        Versions that a retraining made of it.
    """

    subject: str
    digest: str
    stage: str
    intact: str
    code_commit: str
    environment: Mapping[str, str]
    made_from: tuple[Link, ...]
    approvals: tuple[GivenApproval, ...]
    became: tuple[Link, ...]
    traffic: Traffic
    successors: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class LoggedAnswer(Record):
    """What the log holds of one answer.

    Parameters
    ----------
    at, role
        When, and in which role the version answered: ``stable``, ``canary``, ``baseline`` or ``shadow``.
    version, digest
        Which version, by its number and by the bytes that the server had loaded.
    score, answer, probabilities, flags
        What was answered.
    features
        The row, as the log holds it: hashed columns as codes, dropped ones not at all.
    """

    at: dt.datetime
    role: str
    version: str
    digest: str
    score: float | None
    answer: str | None
    probabilities: tuple[float, ...]
    flags: tuple[str, ...]
    features: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class PredictionTrace(Record):
    """The way back from one prediction.

    Parameters
    ----------
    id
        Of the prediction.
    answer
        What was answered.
    shadows
        What other versions said beside it.
    label
        The label that came back; None if none did.
    reproduced
        Whether the package gives the same score for the logged row now; None if that cannot be tried.
    reasons
        Why the row got its score, the weightiest columns first; empty if that cannot be told.
    unexplained
        Why it cannot be scored or explained again; ``""`` if it can.
    lineage
        The version that answered, with all that it came from; None if the registry has none of these bytes.
    unregistered
        What is known instead.
    """

    id: str
    answer: LoggedAnswer
    shadows: tuple[LoggedAnswer, ...]
    label: str | None
    reproduced: bool | None
    reasons: tuple[tuple[str, float], ...]
    unexplained: str
    lineage: VersionLineage | None
    unregistered: str = ""
