"""Courses: the same verbs for tasks that are not supervised row by row.

Takes: a project whose task is forecasting, anomaly or clustering.
Gives: its check, audit, train, evaluate and score, each with an outcome that a terminal and a program can show; its package.
Never: computes what a room computes, or lets a verb that has no meaning for the task seem to work.
"""

from modelyard.courses.choice import VERBS, course_for
from modelyard.courses.course import Course
from modelyard.courses.drafting import draft_course
from modelyard.courses.ground import Ground
from modelyard.courses.outcome import Outcome

__all__ = ["VERBS", "Course", "Ground", "Outcome", "course_for", "draft_course"]
