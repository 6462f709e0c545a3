"""The columns of a table, each measured when somebody first asks, and never again."""

import polars as pl

from modelyard.audit.columns.levels import Levels, column_levels
from modelyard.audit.columns.numbers import Numbers, column_numbers

__all__ = ["MeasuredColumns"]


class MeasuredColumns:
    """Figures of the columns of a frame by name; keeps the figures, not the values.

    Parameters
    ----------
    frame
        The rows; all are looked at.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._numbers: dict[str, Numbers | None] = {}
        self._levels: dict[str, Levels] = {}

    def numbers(self, name: str) -> Numbers | None:
        """The figures of a column of numbers, dates or moments; None for other types."""
        if name not in self._numbers:
            dtype = self._frame[name].dtype
            ordered = dtype.is_numeric() or dtype == pl.Date or isinstance(dtype, pl.Datetime)
            self._numbers[name] = column_numbers(self._frame[name]) if ordered else None
        return self._numbers[name]

    def levels(self, name: str) -> Levels:
        """The levels of a column of any type."""
        if name not in self._levels:
            self._levels[name] = column_levels(self._frame[name])
        return self._levels[name]

    def distinct(self, name: str) -> int:
        """Number of different values, missing ones not counted."""
        numbers = self.numbers(name)
        return self.levels(name).distinct if numbers is None else numbers.distinct

    def most(self, name: str) -> int:
        """Rows of the commonest value; 0 if there is none."""
        numbers = self.numbers(name)
        return self.levels(name).most if numbers is None else numbers.most
