"""How differently groups of people are treated, by the measures that the field has agreed on.

Takes: judged rows with decisions of two classes, and the protected columns.
Gives: demographic parity, equal opportunity and equalised odds as differences and ratios, with intervals and chance.
Never: calls a model fair; a gap may have a good reason, and the absence of one may be chance.

The measuring itself is :func:`modelyard.evaluation.fairness.gaps.measure_gaps`.
"""

from modelyard.evaluation.fairness.records import FairnessGap

__all__ = ["FairnessGap"]
