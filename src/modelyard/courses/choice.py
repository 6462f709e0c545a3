"""Which course a project takes; none for a supervised task."""

from collections.abc import Callable, Mapping

from modelyard.courses.anomalies import AnomalyCourse
from modelyard.courses.clusters import ClusterCourse
from modelyard.courses.course import Course
from modelyard.courses.forecasting import ForecastCourse
from modelyard.courses.ground import Ground
from modelyard.problem import Task

__all__ = ["VERBS", "course_for"]

VERBS = ("check", "audit", "train", "evaluate", "score")
"""What every course can do with an outcome; packages and what follows are the same for all tasks."""

_COURSES: Mapping[Task, Callable[[Ground], Course]] = {
    Task.FORECASTING: ForecastCourse,
    Task.ANOMALY: AnomalyCourse,
    Task.CLUSTERING: ClusterCourse,
}


def course_for(ground: Ground) -> Course | None:
    """The course of the project's task; None where rows have a target each."""
    found = _COURSES.get(ground.problem.task)
    return found(ground) if found is not None else None
