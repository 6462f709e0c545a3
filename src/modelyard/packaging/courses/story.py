"""What a course tells of its model, and the card that is filled from it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelyard.core import Finding
from modelyard.data import SplitRecord
from modelyard.evaluation.records import MetricValue, SystemScores
from modelyard.features import FeatureEntry
from modelyard.packaging.card import (
    CARD_PROTOCOL,
    CandidateLine,
    CardData,
    CardIdentity,
    CardMethod,
    CardOperation,
    CardPerformance,
    CardUse,
    DecisionNote,
    ModelCard,
    TestOpening,
)
from modelyard.packaging.card.limitations import limits_of_figures
from modelyard.packaging.golden import Parity
from modelyard.packaging.latency import Measurement
from modelyard.packaging.manifest import Manifest
from modelyard.problem import GuardrailResult, Problem, Task

__all__ = ["CourseCardSource", "CourseStory", "course_card", "course_metrics"]

WINNER = "winner"


@dataclasses.dataclass(frozen=True)
class CourseStory:
    """What was tried, chosen and measured.

    Parameters
    ----------
    run_id
        Of the run.
    task, classes
        As the scoring plan has them.
    answers
        What an answer is, in one sentence.
    winner, why, metric
        The choice, its reason, and what chose.
    resamples
        How candidates were judged: how many times, and in what way.
    candidates
        Everything tried.
    measured_on, is_test
        The part that the figures come from, and whether it is the sealed one.
    confidence
        Of their intervals.
    figures
        Of the winner.
    guardrails
        Bounds of the project file, kept or not.
    openings
        Of the sealed part.
    findings
        Of the run and its evaluation, by source.
    environment
        Versions of the libraries that trained.
    """

    run_id: str
    task: Task
    classes: tuple[str, ...]
    answers: str
    winner: str
    why: str
    metric: str
    resamples: tuple[int, str]
    candidates: tuple[CandidateLine, ...]
    measured_on: str
    is_test: bool
    confidence: float
    figures: tuple[MetricValue, ...]
    guardrails: tuple[GuardrailResult, ...]
    openings: int
    findings: tuple[tuple[str, tuple[Finding, ...]], ...]
    environment: Mapping[str, str]

    @property
    def systems(self) -> tuple[SystemScores, ...]:
        """The winner's figures, as the card lists them."""
        return (SystemScores(WINNER, self.figures),)


@dataclasses.dataclass(frozen=True)
class CourseCardSource:
    """All that the card of a course is filled from; the fields of :class:`modelyard.packaging.card.CardSource`."""

    story: CourseStory
    problem: Problem
    split: SplitRecord
    manifest: Manifest
    features: tuple[FeatureEntry, ...]
    parity: Parity
    parity_on_table: Parity
    measurement: Measurement
    model_mb: float
    openings: tuple[TestOpening, ...]
    decisions: tuple[DecisionNote, ...]


def course_card(source: CourseCardSource) -> ModelCard:
    """The card, with every field that a person left empty listed under ``not_provided``."""
    story, problem = source.story, source.problem
    identity = _identity(source)
    use = CardUse(problem.objective, story.answers, problem.users, problem.out_of_scope)
    data = _data(source)
    found = (("split", source.split.findings), *story.findings)
    return ModelCard(
        protocol=CARD_PROTOCOL,
        identity=identity,
        use=use,
        data=data,
        method=_method(source),
        performance=_performance(story),
        openings_count=story.openings,
        openings=source.openings,
        limitations=limits_of_figures(story.measured_on, found, opened=story.is_test),
        decisions=source.decisions,
        operation=CardOperation(
            parity=source.parity,
            parity_on_table=source.parity_on_table,
            measurement=source.measurement,
            model_mb=source.model_mb,
            constraints=problem.constraints.model_dump(),
            monitoring=problem.monitoring.model_dump(),
            retraining=problem.retraining.model_dump(),
        ),
        environment=dict(story.environment),
        not_provided=_not_provided(identity, use, data, source),
    )


def _identity(source: CourseCardSource) -> CardIdentity:
    manifest, problem = source.manifest, source.problem
    return CardIdentity(
        name=manifest.name,
        version=manifest.version,
        task=source.story.task.value,
        target=problem.data.target,
        classes=source.story.classes,
        created_at=manifest.created_at,
        author=manifest.author,
        owner=problem.owner,
        contact=problem.contact,
        escalation=problem.escalation,
        modelyard_version=manifest.modelyard_version,
        code_commit=manifest.code_commit,
        run_id=source.story.run_id,
    )


def _data(source: CourseCardSource) -> CardData:
    declared, split = source.problem.data, source.split
    return CardData(
        source=declared.source,
        dataset_id=split.dataset_id,
        train_rows=split.train_rows,
        validation_rows=split.validation_rows,
        test_rows=split.test_rows,
        split=split.strategy,
        split_reason=split.reason,
        split_id=split.id,
        test_digest=split.test_digest,
        collection=declared.collection,
        known_biases=declared.known_biases,
        features=source.features,
        protected=source.problem.protected,
    )


def _method(source: CourseCardSource) -> CardMethod:
    story = source.story
    count, way = story.resamples
    return CardMethod(
        family=story.winner,
        params={},
        why=story.why,
        metric=story.metric,
        folds=count,
        fold_strategy=way,
        seed=source.problem.training.seed,
        features=sum(len(entry.features) for entry in source.features),
        candidates=story.candidates,
    )


def _performance(story: CourseStory) -> CardPerformance:
    return CardPerformance(
        metric=story.metric,
        measured_on=story.measured_on,
        confidence=story.confidence,
        validation=() if story.is_test else story.systems,
        test=story.systems if story.is_test else (),
        comparisons=(),
        guardrails=story.guardrails,
        segments=(),
        disparities=(),
        importance=(),
        threshold=None,
        costs={},
        money=None,
    )


def _not_provided(identity: CardIdentity, use: CardUse, data: CardData, source: CourseCardSource) -> tuple[str, ...]:
    """Fields that only a person can fill; prices and an existing system are asked of supervised tasks alone."""
    wanted: Mapping[str, Any] = {
        "identity: owner": identity.owner,
        "identity: contact": identity.contact,
        "identity: escalation": identity.escalation,
        "identity: code commit": identity.code_commit,
        "use: objective": use.objective,
        "use: users": use.users,
        "use: out of scope": use.out_of_scope,
        "data: collection": data.collection,
        "data: known biases": data.known_biases,
        "data: protected columns": data.protected,
        "decisions": source.decisions,
    }
    return tuple(name for name, value in wanted.items() if not value)


def course_metrics(source: CourseCardSource) -> dict[str, Any]:
    """``metrics.json``: the figures for machines."""
    story = source.story
    systems = [system.to_dict() for system in story.systems]
    return {
        "metric": story.metric,
        "measured_on": story.measured_on,
        "confidence": story.confidence,
        "openings": story.openings,
        "validation": [] if story.is_test else systems,
        "test": systems if story.is_test else [],
        "guardrails": [guardrail.to_dict() for guardrail in story.guardrails],
        "parity": source.parity.to_dict(),
        "parity_on_table": source.parity_on_table.to_dict(),
        "measurement": source.measurement.to_dict(),
        "size_mb": source.model_mb,
    }
