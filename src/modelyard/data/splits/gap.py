"""A gap in time between what is learnt from and what is judged: labels that come later must not be known yet."""

import numpy as np
import polars as pl

from modelyard.core import DataError
from modelyard.data.splits.strategies import LEFT_OUT, Codes, Part

__all__ = ["earlier_by", "leave_gap"]


def leave_gap(codes: Codes, moments: pl.Series, gap: str | float) -> Codes:
    """Take the rows out of each part that lie less than ``gap`` before the next part's first moment.

    If a label takes 30 days to come, then on the first day of the test part only labels of rows at least 30 days older
    are known; a model that has learnt from younger rows has seen the future. (In finance: "purging", López de Prado,
    2018, "Advances in Financial Machine Learning", section 7.4.1.)

    Parameters
    ----------
    codes, moments
        Parts and times of all rows; parts follow one another.
    gap
        As in the project file: ``30d``, ``12h`` for dates; a number in the column's own unit for numbers.

    Returns
    -------
    NDArray
        The codes, with -1 for the rows left out.

    Raises
    ------
    DataError
        If the gap does not fit the column's type.
    """
    kept = codes.copy()
    limits = earlier_by(moments, gap)
    for part in (Part.VALIDATION, Part.TEST):
        begins = codes == part
        if begins.any():
            first = int(np.flatnonzero(begins)[moments.filter(pl.Series(begins)).arg_min() or 0])
            too_late = (moments > limits[first]).to_numpy() & (codes < part)
            kept[too_late] = LEFT_OUT
    return kept


def earlier_by(moments: pl.Series, gap: str | float) -> pl.Series:
    """Each moment, ``gap`` earlier.

    Raises
    ------
    DataError
        If the gap does not fit the column's type.

    Examples
    --------
    >>> earlier_by(pl.Series([10, 11]), 3).to_list()
    [7.0, 8.0]
    >>> earlier_by(pl.Series(["2024-03-31"]).str.to_date(), "1mo").to_list()
    [datetime.date(2024, 2, 29)]
    """
    if moments.dtype.is_temporal() != isinstance(gap, str):
        raise DataError(
            "the gap does not fit the time column",
            where="split.gap",
            got=f"{gap!r} for column {moments.name!r} of type {moments.dtype}",
            cure="Write 30d or 12h for dates, and a number for a time that is a number",
        )
    if isinstance(gap, str):
        return moments.cast(pl.Datetime("us")).dt.offset_by(f"-{gap}").cast(moments.dtype)
    return moments.cast(pl.Float64) - gap
