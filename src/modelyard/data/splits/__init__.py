"""Splits: rows divided before anything looks at them.

Takes: a data set version and the problem's split plan.
Gives: a training and a validation part, and a sealed test part that opens against a line in the ledger.
Never: lets a group or an equal moment stand on both sides, or a test row out without a reason.
"""

from modelyard.data.splits.content import row_digests
from modelyard.data.splits.extension import extend_split, unknown_rows
from modelyard.data.splits.own_test import as_divided
from modelyard.data.splits.sealed_test import SealedTest, openings_of
from modelyard.data.splits.sealing import seal_rows
from modelyard.data.splits.split import make_split
from modelyard.data.splits.stored import Split, SplitFacts, SplitRecord, load_split, split_facts

__all__ = [
    "SealedTest",
    "Split",
    "SplitFacts",
    "SplitRecord",
    "as_divided",
    "extend_split",
    "load_split",
    "make_split",
    "openings_of",
    "row_digests",
    "seal_rows",
    "split_facts",
    "unknown_rows",
]
