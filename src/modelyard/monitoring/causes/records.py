"""The verdict: what explains what was seen, how sure that is, what speaks for it, where it sits, and what to do."""

import dataclasses
import enum

from modelyard.core import Record

__all__ = ["Action", "Cause", "Diagnosis", "Evidence", "ExpectedGain", "LabelRequest", "Segment"]


class Cause(enum.StrEnum):
    """What explains what was seen."""

    NOTHING = "nothing_to_explain"
    PIPELINE = "broken_pipeline"
    CONCEPT = "concept_drift"
    PRIOR = "prior_shift"
    COVARIATE = "covariate_shift"
    HARMLESS = "harmless"
    UNEXPLAINED = "unexplained_loss"
    UNKNOWN = "unknown_without_labels"

    @property
    def words(self) -> str:
        """For people: "broken pipeline"."""
        return self.value.replace("_", " ")


class Action(enum.StrEnum):
    """What to do about it. A pipeline fault never leads to retraining, and neither does anything about anomalies or clusters."""

    IGNORE = "ignore"
    FIX_PIPELINE = "fix_pipeline"
    RECALIBRATE = "recalibrate"
    RETRAIN = "retrain"
    WAIT_FOR_LABELS = "wait_for_labels"
    LOOK = "look_at_what_moved"

    @property
    def words(self) -> str:
        """For people: "fix the pipeline"."""
        return _ACTION_WORDS[self]


_ACTION_WORDS = {
    Action.IGNORE: "nothing",
    Action.FIX_PIPELINE: "fix the pipeline; do not retrain",
    Action.RECALIBRATE: "recalibrate",
    Action.RETRAIN: "retrain",
    Action.WAIT_FOR_LABELS: "collect labels",
    Action.LOOK: "look at what moved",
}


@dataclasses.dataclass(frozen=True)
class Evidence(Record):
    """One test that was made.

    Parameters
    ----------
    test
        What was asked.
    value, threshold
        Its number, and the number from which on it counts as found; None where there is none.
    found
        True if the test found what it looked for.
    says
        What that means, in one sentence with its numbers.
    """

    test: str
    value: float | None
    threshold: float | None
    found: bool
    says: str


@dataclasses.dataclass(frozen=True)
class Segment(Record):
    """Rows in which the loss or the shift sits.

    Parameters
    ----------
    conditions
        All of them hold, such as "plan is gold".
    rows, share
        How many rows that are, and their share of those that were searched.
    kind
        ``loss``: ``now`` and ``before`` are the loss of a row here and of a row elsewhere. ``shift``: they are the
        segment's share of the rows now and in training.
    now, before
        See ``kind``.
    p_value
        The chance of so large a difference anywhere among the segments searched, if there is none.
    """

    conditions: tuple[str, ...]
    rows: int
    share: float
    kind: str
    now: float
    before: float
    p_value: float

    @property
    def name(self) -> str:
        """Such as "plan is gold and age is above 40"."""
        return " and ".join(self.conditions)


@dataclasses.dataclass(frozen=True)
class ExpectedGain(Record):
    """What an action gained on later labelled rows, learnt from earlier ones by a light stand-in for it.

    Parameters
    ----------
    action
        ``recalibrate`` or ``retrain``.
    metric
        What was measured.
    before, after
        The model as it is, and with the action, on ``rows`` rows that the action has not learnt from.
    gain, low, high
        The improvement and its 95 % interval, paired; positive is better, whatever the direction of the metric.
    rows, learnt_from
        Later rows that it was measured on, and earlier ones that it was learnt from.
    """

    action: Action
    metric: str
    before: float | None
    after: float | None
    gain: float
    low: float
    high: float
    rows: int
    learnt_from: int

    @property
    def pays(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low > 0


@dataclasses.dataclass(frozen=True)
class LabelRequest(Record):
    """Which rows to label.

    Parameters
    ----------
    needed
        Labels that would show a loss of the tolerated size.
    why
        What they would tell, in one sentence.
    ids
        Predictions to label, drawn evenly over ten bands of the score; fewer than ``needed`` if the log has no more.
    """

    needed: int
    why: str
    ids: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Diagnosis(Record):
    """The likely cause, and what follows from it.

    Parameters
    ----------
    verdict
        :class:`Cause`.
    confidence
        The share of cases with evidence this strong in which the verdict was right, measured on a simulator of known
        causes, 0 to 1. None where nothing is claimed: there is nothing to explain, or it cannot be known.
    evidence
        Every test that was made, in the order of the decision.
    segments
        Where the loss sits, or, without labels, the shift.
    action
        :class:`Action`.
    expected_gain
        Of recalibrating or retraining; None if it could not be measured.
    not_known
        What cannot be told from what there is.
    labels
        Which rows to label; None if no labels are asked for.
    """

    verdict: Cause
    confidence: float | None
    evidence: tuple[Evidence, ...]
    segments: tuple[Segment, ...]
    action: Action
    expected_gain: ExpectedGain | None = None
    not_known: str = ""
    labels: LabelRequest | None = None
