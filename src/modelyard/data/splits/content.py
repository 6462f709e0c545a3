"""Rows named by their content, on every machine and in every version alike."""

import hashlib

import polars as pl

from modelyard.data.schema import category_text

__all__ = ["row_digests", "rows_digest"]

_SLICE_ROWS = 50_000
_DIGITS = 16
_NULL, _BETWEEN = "\0", "\x1f"


def row_digests(frame: pl.DataFrame) -> list[str]:
    """A name for each row by its content: 16 hexadecimal digits of SHA-256 of all values, by column name, as text.

    Equal rows have equal names, whatever the order of columns and whether a whole number is stored with a fraction.

    >>> row_digests(pl.DataFrame({"a": [1, 2]})) == row_digests(pl.DataFrame({"a": [1.0, 2.0]}))
    True
    """
    names = sorted(frame.columns)
    digests: list[str] = []
    for piece in frame.select(names).iter_slices(_SLICE_ROWS):
        cells = [category_text(piece[name]).cast(pl.String).fill_null(_NULL) for name in names]
        texts = pl.DataFrame(cells).select(pl.concat_str(pl.all(), separator=_BETWEEN)).to_series()
        digests += [hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] for text in texts]
    return digests


def rows_digest(frame: pl.DataFrame) -> str:
    """SHA-256 of a table's column names and rows, whatever their order and stored types.

    >>> rows_digest(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})) == rows_digest(pl.DataFrame({"b": ["y", "x"], "a": [2, 1]}))
    True
    """
    state = hashlib.sha256(_BETWEEN.join(sorted(frame.columns)).encode())
    for digest in sorted(row_digests(frame)):
        state.update(digest.encode())
    return state.hexdigest()
