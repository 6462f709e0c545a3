"""What the winner has learnt, seen as a whole: which columns count, in which direction, and who says otherwise.

Takes: held-out rows, the development model, training rows for comparison, and what the project file expects.
Gives: contributions summed up over many rows, a second opinion on single rows, the agreement between methods and between
models, expected directions kept or broken, and columns that stand in for protected ones.
Never: looks at the test part, or calls a contribution a cause.

The modules other than the records are imported by their full path: they load the training libraries, which the room of
evaluation does not before they are needed.
"""

from modelyard.evaluation.reasons.records import (
    ColumnEffect,
    Dependence,
    Expectation,
    MethodAgreement,
    ModelAgreement,
    Proxy,
    Reasons,
    ReasonSummary,
    SecondOpinion,
)

__all__ = [
    "ColumnEffect",
    "Dependence",
    "Expectation",
    "MethodAgreement",
    "ModelAgreement",
    "Proxy",
    "ReasonSummary",
    "Reasons",
    "SecondOpinion",
]
