"""What the packages of all courses have in common: their origin, and a card that tells the course's story."""

import dataclasses
from typing import Any

from modelyard.packaging.card import CardFacts, ModelCard
from modelyard.packaging.courses.story import CourseStory, course_card, course_metrics
from modelyard.packaging.finishing import Draft, Origin

__all__ = ["CourseDraft"]


@dataclasses.dataclass(frozen=True)
class CourseDraft(Draft):
    """What goes into one package of a course.

    Parameters
    ----------
    story
        What the card tells of the model.
    """

    story: CourseStory

    @property
    def origin(self) -> Origin:
        """The split, and the run of the story."""
        split = self.split.record
        return Origin(split.dataset_id, split.id, self.story.run_id)

    def card(self, facts: CardFacts) -> ModelCard:
        """Filled from the story."""
        return course_card(facts, self.story)

    def metrics(self) -> dict[str, Any]:
        """Those of the story."""
        return course_metrics(self.story)
