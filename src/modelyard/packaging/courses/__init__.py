"""Packages of models that learn without a target.

Takes: a run of a course with its evaluation, split and problem.
Gives: a package like any other, or a scorer that is in none; and what is said beside an answer.
Never: publishes a package whose answers differ from those of the run.
"""

__all__: list[str] = []
