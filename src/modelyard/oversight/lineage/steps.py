"""A step of a model's life, and the things that go into it and come out of it."""

import dataclasses
import datetime as dt
import enum

from modelyard.core import Record

__all__ = ["Kind", "Step", "Thing"]


class Kind(enum.StrEnum):
    """What a thing is. What lies outside of the project has an address, everything else an id of its own."""

    SOURCE = "source"
    DATA = "data"
    TRAINING_ROWS = "split.train"
    VALIDATION_ROWS = "split.validation"
    TEST_ROWS = "split.test"
    RUN = "run"
    EVALUATION = "evaluation"
    PACKAGE = "package"
    VERSION = "model"
    ENDPOINT = "endpoint"
    PREDICTIONS = "predictions"
    SCORES = "scores"
    SHIPMENT = "shipment"
    REPORT = "report"

    @property
    def is_outside(self) -> bool:
        """True if the thing is named by an address."""
        return self in (Kind.SOURCE, Kind.SCORES, Kind.SHIPMENT)


PARTS = (Kind.TRAINING_ROWS, Kind.VALIDATION_ROWS, Kind.TEST_ROWS)
"""What a split gives."""


@dataclasses.dataclass(frozen=True, order=True)
class Thing(Record):
    """One thing: a data version, a part of a split, a run, a package, a version of the model.

    Parameters
    ----------
    kind
        See :class:`Kind`.
    id
        The id of its record, or its address.
    """

    kind: Kind
    id: str


@dataclasses.dataclass(frozen=True)
class Step(Record):
    """One piece of work, as the records tell it.

    Parameters
    ----------
    id
        A UUID that follows from the record, so that it is the same whenever it is told.
    job
        The verb: ``collect``, ``split``, ``train``, ``evaluate``, ``package``, ``register``, ``approve``, ``promote`` …
    actor
        Who; ``""`` where no record says so.
    begun, ended
        When; the same moment where the records know one alone. ``ended`` is None while it goes on.
    inputs, outputs
        What went in and came out.
    failed
        Why it failed; ``""`` if it did not.
    note
        What was said of it: a reason, a verdict.
    row, row_hash
        Sequence and hash of the ledger's row that tells it; 0 and ``""`` for what records tell without the ledger.
    parent
        Id of the step within which it was done; ``""`` for none.
    """

    id: str
    job: str
    actor: str
    begun: dt.datetime
    ended: dt.datetime | None
    inputs: tuple[Thing, ...]
    outputs: tuple[Thing, ...]
    failed: str = ""
    note: str = ""
    row: int = 0
    row_hash: str = ""
    parent: str = ""
