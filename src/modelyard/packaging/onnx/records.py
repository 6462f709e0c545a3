"""What an export gives, and how exact it is."""

import dataclasses
from collections.abc import Mapping

from modelyard.core import Record

__all__ = ["MISSING", "OnnxExport", "OnnxParity"]

MISSING = "<NA>"
"""How text says that a category is missing; ONNX knows no null. Numbers, Booleans and dates say it by NaN."""


@dataclasses.dataclass(frozen=True)
class OnnxParity(Record):
    """How an ONNX file answers beside its package.

    Parameters
    ----------
    rows
        Rows that were scored by both.
    max_abs_difference
        The largest difference of a score; relative where that is above 1.
    decisions_differ
        Rows with another label; of values, rows that differ by more than the tolerance.
    tolerance
        What is allowed.
    """

    rows: int
    max_abs_difference: float
    decisions_differ: int
    tolerance: float

    @property
    def ok(self) -> bool:
        """True if no score differs by more than the tolerance, and no decision at all."""
        return self.max_abs_difference <= self.tolerance and not self.decisions_differ


@dataclasses.dataclass(frozen=True)
class OnnxExport(Record):
    """One exported file.

    Parameters
    ----------
    path, bytes
        Where it lies, and its size.
    package
        Digest of the package.
    inputs
        Column to what it takes: ``number``, ``boolean`` (1 or 0) and ``seconds`` (since 1970, UTC) as doubles, ``text``
        as strings; each of shape (rows, 1).
    golden, held
        Agreement on the golden rows, and on those of the validation part; None if there were none.
    forced
        True if it was written although it differs by more than is allowed.
    """

    path: str
    bytes: int
    package: str
    inputs: Mapping[str, str]
    golden: OnnxParity
    held: OnnxParity | None
    forced: bool = False
