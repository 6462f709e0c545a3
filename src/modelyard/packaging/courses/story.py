"""What a course tells of its model, and the card that is filled from it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelyard.core import Finding
from modelyard.evaluation.records import MetricValue, SystemScores
from modelyard.packaging.card import (
    CARD_PROTOCOL,
    CandidateLine,
    CardFacts,
    CardMethod,
    CardPerformance,
    ModelCard,
)
from modelyard.packaging.card.facts import data_of, identity_of, not_provided, operation_of, use_of
from modelyard.packaging.card.limitations import limits_of_figures
from modelyard.problem import GuardrailResult, Task

__all__ = ["CourseStory", "course_card", "course_metrics"]

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
    measured_on
        The part that the figures come from.
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
    confidence: float
    figures: tuple[MetricValue, ...]
    guardrails: tuple[GuardrailResult, ...]
    openings: int
    findings: tuple[tuple[str, tuple[Finding, ...]], ...]
    environment: Mapping[str, str]

    @property
    def is_test(self) -> bool:
        """Whether the figures come from the sealed part."""
        return self.measured_on == "test"

    @property
    def systems(self) -> tuple[SystemScores, ...]:
        """The winner's figures, as the card lists them."""
        return (SystemScores(WINNER, self.figures),)


def course_card(facts: CardFacts, story: CourseStory) -> ModelCard:
    """The card, with every field that a person left empty listed under ``not_provided``.

    Prices and an existing system are asked of models alone that predict a target.
    """
    problem = facts.problem
    return ModelCard(
        protocol=CARD_PROTOCOL,
        identity=identity_of(facts, story.task, problem.data.target, story.classes),
        use=use_of(facts, story.answers),
        data=data_of(facts),
        method=_method(facts, story),
        performance=_performance(story),
        openings_count=story.openings,
        openings=facts.openings,
        limitations=limits_of_figures(
            story.measured_on, (("split", facts.split.findings), *story.findings), opened=story.is_test
        ),
        decisions=facts.decisions,
        operation=operation_of(facts),
        environment=dict(story.environment),
        not_provided=not_provided(facts),
    )


def _method(facts: CardFacts, story: CourseStory) -> CardMethod:
    count, way = story.resamples
    return CardMethod(
        family=story.winner,
        params={},
        why=story.why,
        metric=story.metric,
        folds=count,
        fold_strategy=way,
        seed=facts.problem.training.seed,
        features=sum(len(entry.features) for entry in facts.features),
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


def course_metrics(story: CourseStory) -> dict[str, Any]:
    """``metrics.json``: the figures for machines, but for what was proved and measured of the package."""
    systems = [system.to_dict() for system in story.systems]
    return {
        "metric": story.metric,
        "measured_on": story.measured_on,
        "confidence": story.confidence,
        "openings": story.openings,
        "validation": [] if story.is_test else systems,
        "test": systems if story.is_test else [],
        "guardrails": [guardrail.to_dict() for guardrail in story.guardrails],
    }
