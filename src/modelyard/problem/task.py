"""The kinds of problem that modelyard solves."""

import enum

__all__ = ["Task"]


class Task(enum.StrEnum):
    """What is predicted. ``auto`` is replaced by one of the others as soon as the target has been seen."""

    AUTO = "auto"
    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    FORECASTING = "forecasting"
    ANOMALY = "anomaly"
    CLUSTERING = "clustering"

    @property
    def is_classification(self) -> bool:
        """True for binary and multiclass."""
        return self in (Task.BINARY, Task.MULTICLASS)

    @property
    def is_supervised(self) -> bool:
        """True where a target is predicted row by row; the others have courses of their own."""
        return self not in (Task.FORECASTING, Task.ANOMALY, Task.CLUSTERING)
