"""Which source delivers a column: what breaks together is one alert."""

from modelyard.problem import Problem

__all__ = ["source_of"]

MODEL = "model"
"""The model itself: its score, its metrics, its log."""

_MAIN = "data"


def source_of(subject: str, problem: Problem, *, is_column: bool) -> str:
    """The source that a finding is about.

    Columns that ``alerts.sources`` names, or whose pattern it names, have that source, the first that fits; a feature of
    a table of events (``data.events``) has the table; every other column comes with the main table, and what is no column
    is the model's. Nothing is guessed from the spelling of names.

    Parameters
    ----------
    subject
        A column, a metric, or whatever a finding is about.
    problem
        Declares sources and tables.
    is_column
        Whether the subject is a column of the data.
    """
    if not is_column:
        return MODEL
    declared = problem.alerts.declared_source(subject)
    if declared is not None:
        return declared
    for table in problem.data.events:
        if subject.startswith(f"{table}."):
            return table.lower()
    return _MAIN
