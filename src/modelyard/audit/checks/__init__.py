"""The checks: small functions that look at an ``AuditContext`` and yield findings, one file per family.

Takes: an ``AuditContext``.
Gives: ``CHECKS``, the declared sequence in which the audit runs them.
Never: depends on the order of the sequence, or changes what it looks at.
"""

from modelyard.audit.checks.balance import class_balance, no_features, small_classes, small_sample
from modelyard.audit.checks.collinearity import collinear_features, copied_columns
from modelyard.audit.checks.dependence import (
    group_outside_split,
    target_drift,
    time_outside_split,
    undeclared_group,
)
from modelyard.audit.checks.duplicates import contradictory_labels, duplicate_rows
from modelyard.audit.checks.identifiers import high_cardinality, identifiers, repeated_ids
from modelyard.audit.checks.labels import label_errors
from modelyard.audit.checks.leakage import later_than_prediction, target_identity, target_proxy
from modelyard.audit.checks.missing import constant_columns, missing_tells, missing_together, missing_values
from modelyard.audit.checks.near_duplicates import near_duplicate_rows, near_duplicate_texts
from modelyard.audit.checks.order import feature_drift, row_order
from modelyard.audit.checks.outcome import after_outcome
from modelyard.audit.checks.outliers import outliers, strange_rows
from modelyard.audit.checks.ranges import impossible_values
from modelyard.audit.checks.shape import rare_categories, skew, zero_inflation
from modelyard.audit.checks.target_values import target_errors
from modelyard.audit.checks.text_values import broken_text, dates_as_text, decimal_commas, invisible_characters
from modelyard.audit.checks.types import mixed_types, placeholder_values, spelling_variants
from modelyard.audit.checks.weights import sample_weights
from modelyard.audit.registry import Check

__all__ = ["CHECKS", "Check"]

CHECKS: tuple[Check, ...] = (
    target_identity,
    target_proxy,
    later_than_prediction,
    after_outcome,
    impossible_values,
    group_outside_split,
    undeclared_group,
    time_outside_split,
    sample_weights,
    target_drift,
    row_order,
    feature_drift,
    label_errors,
    target_errors,
    no_features,
    small_sample,
    small_classes,
    class_balance,
    duplicate_rows,
    contradictory_labels,
    near_duplicate_rows,
    near_duplicate_texts,
    repeated_ids,
    identifiers,
    missing_values,
    missing_tells,
    missing_together,
    constant_columns,
    mixed_types,
    decimal_commas,
    dates_as_text,
    placeholder_values,
    spelling_variants,
    broken_text,
    invisible_characters,
    high_cardinality,
    rare_categories,
    copied_columns,
    collinear_features,
    outliers,
    strange_rows,
    skew,
    zero_inflation,
)
"""All checks, in the order in which findings of one severity are shown."""
