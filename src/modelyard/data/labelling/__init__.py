"""Labels that people give to rows without any: which rows are worth it, who said what, and what holds.

Takes: a table of rows, a model's scores, and tables of labels by annotator.
Gives: rows to label, agreement with an interval, disputes, and one label a row by a stated rule.
Never: decides a dispute in silence.
"""

from modelyard.data.labelling.agreement import Agreement, cohen_kappa
from modelyard.data.labelling.annotations import Annotations, read_annotations, stored_annotations
from modelyard.data.labelling.choosing import rows_to_label
from modelyard.data.labelling.verdict import Dispute, LabelRule, Verdict, settle

__all__ = [
    "Agreement",
    "Annotations",
    "Dispute",
    "LabelRule",
    "Verdict",
    "cohen_kappa",
    "read_annotations",
    "rows_to_label",
    "settle",
    "stored_annotations",
]
