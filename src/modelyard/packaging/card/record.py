"""The model card as data: what a model is, what it is for, what it rests on, and where it fails."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record, Severity
from modelyard.evaluation.records import (
    Comparison,
    Importance,
    Money,
    SegmentScore,
    SystemScores,
    ThresholdChoice,
)
from modelyard.features import FeatureEntry
from modelyard.packaging.golden import Parity
from modelyard.packaging.latency import Measurement
from modelyard.problem import GuardrailResult

__all__ = [
    "CARD_PROTOCOL",
    "CandidateLine",
    "CardData",
    "CardIdentity",
    "CardMethod",
    "CardOperation",
    "CardPerformance",
    "CardUse",
    "DecisionNote",
    "Disparity",
    "Limitation",
    "ModelCard",
    "TestOpening",
]

CARD_PROTOCOL = 1
"""Version of ``card.json``; goes up when a field is added, removed or changes its meaning."""


@dataclasses.dataclass(frozen=True)
class DecisionNote(Record):
    """A decision on record: who took it, when, about what, and why."""

    at: dt.datetime
    by: str
    what: str
    why: str


@dataclasses.dataclass(frozen=True)
class TestOpening(Record):
    """One opening of the sealed test part."""

    at: dt.datetime
    by: str
    reason: str


@dataclasses.dataclass(frozen=True)
class CardIdentity(Record):
    """Which model this is, and who answers for it."""

    name: str
    version: str
    task: str
    target: str
    classes: tuple[str, ...]
    created_at: dt.datetime
    author: str
    owner: str
    contact: str
    escalation: tuple[str, ...]
    modelyard_version: str
    code_commit: str
    run_id: str


@dataclasses.dataclass(frozen=True)
class CardUse(Record):
    """What the model is for. ``users`` and ``out_of_scope`` are empty if the project file is silent."""

    objective: str
    decision: str
    users: str
    out_of_scope: str


@dataclasses.dataclass(frozen=True)
class CardData(Record):
    """What the model has learnt from.

    Parameters
    ----------
    source, dataset_id
        The table and its version.
    train_rows, validation_rows, test_rows
        Sizes of the parts.
    split, split_reason, split_id, test_digest
        How rows were divided, and which rows are sealed.
    collection, known_biases
        As the owner declared them.
    features
        The feature catalogue: columns used, and columns left out with the reason.
    protected
        Protected columns.
    """

    source: str
    dataset_id: str
    train_rows: int
    validation_rows: int
    test_rows: int
    split: str
    split_reason: str
    split_id: str
    test_digest: str
    collection: str
    known_biases: tuple[str, ...]
    features: tuple[FeatureEntry, ...]
    protected: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class CandidateLine(Record):
    """One candidate of the search; mean and standard deviation over folds, None if it was not finished."""

    name: str
    family: str
    role: str
    status: str
    mean: float | None
    sd: float | None


@dataclasses.dataclass(frozen=True)
class CardMethod(Record):
    """How the model was made and chosen."""

    family: str
    params: Mapping[str, Any]
    why: str
    metric: str
    folds: int
    fold_strategy: str
    seed: int
    features: int
    candidates: tuple[CandidateLine, ...]


@dataclasses.dataclass(frozen=True)
class Disparity(Record):
    """How far groups of a protected column are apart: largest minus smallest, groups of 30 rows or more."""

    column: str
    measure: str
    gap: float
    lowest: str
    highest: str


@dataclasses.dataclass(frozen=True)
class CardPerformance(Record):
    """How good the model is, and how sure that is.

    Parameters
    ----------
    measured_on
        The part that segments, comparisons, money and guardrails were measured on.
    validation, test
        Every metric of every system with its interval; ``test`` is empty while the test part is sealed.
    confidence
        Of the intervals on the test part.
    """

    metric: str
    measured_on: str
    confidence: float
    validation: tuple[SystemScores, ...]
    test: tuple[SystemScores, ...]
    comparisons: tuple[Comparison, ...]
    guardrails: tuple[GuardrailResult, ...]
    segments: tuple[SegmentScore, ...]
    disparities: tuple[Disparity, ...]
    importance: tuple[Importance, ...]
    threshold: ThresholdChoice | None
    costs: Mapping[str, Any]
    money: Money | None


@dataclasses.dataclass(frozen=True)
class Limitation(Record):
    """Where the model may fail, from which part of the work that is known, and what to do."""

    source: str
    severity: Severity
    subject: str
    statement: str
    action: str


@dataclasses.dataclass(frozen=True)
class CardOperation(Record):
    """How the package behaves: parity with training, speed, size, and the limits that were declared."""

    parity: Parity
    parity_on_table: Parity
    measurement: Measurement
    model_mb: float
    constraints: Mapping[str, float | None]
    monitoring: Mapping[str, Any]
    retraining: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class ModelCard(Record):
    """The whole card, after Mitchell et al. (2019), "Model cards for model reporting".

    Parameters
    ----------
    openings
        Every opening of the test part that is known by date; ``openings_count`` is the ledger's count.
    not_provided
        Fields that a person should fill and has not, as ``section: field``.
    """

    protocol: int
    identity: CardIdentity
    use: CardUse
    data: CardData
    method: CardMethod
    performance: CardPerformance
    openings_count: int
    openings: tuple[TestOpening, ...]
    limitations: tuple[Limitation, ...]
    decisions: tuple[DecisionNote, ...]
    operation: CardOperation
    environment: Mapping[str, str]
    not_provided: tuple[str, ...]
