"""Data: from a file to rows that may be looked at, and rows that may not.

Takes: a file or a frame, and the problem.
Gives: a version by content, a split with a sealed test part, the columns' roles, a contract, a mergeable profile.
Never: lets the test part out without a reason in the ledger.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.data.agreement import derive_contract
    from modelyard.data.comparison import ColumnShift, TypeChange, VersionDiff, changed_source, diff_versions
    from modelyard.data.contract import ColumnContract, Contract, ContractCheck, Violation, ViolationCount, check_table
    from modelyard.data.corrections import (
        Correction,
        corrected_split,
        corrections_in_force,
        decided_rows,
        record_correction,
        undo_correction,
    )
    from modelyard.data.drafting import Suggestion, draft_problem, suggest
    from modelyard.data.entry import enter_source, fingerprint, keep_version
    from modelyard.data.history import history_joiner, with_history
    from modelyard.data.profile import (
        FeatureReference,
        ReferenceProfile,
        bin_labels,
        build_profile,
        count_bins,
        debiased_psi,
        smoothed_psi,
    )
    from modelyard.data.read import SourceTable, located, open_source, read_declared, read_source, read_table
    from modelyard.data.resolving import (
        check_columns,
        check_quantiles,
        class_shares,
        positive_class,
        resolve,
        settled,
    )
    from modelyard.data.roles import Roles, assign_roles
    from modelyard.data.schema import Column, ColumnKind, Schema, category_text, conform, infer_schema
    from modelyard.data.splits import (
        SealedTest,
        Split,
        SplitFacts,
        SplitRecord,
        as_divided,
        extend_split,
        load_split,
        make_split,
        openings_of,
        row_digests,
        seal_rows,
        split_facts,
        unknown_rows,
    )
    from modelyard.data.table import Table
    from modelyard.data.version import (
        Dataset,
        DatasetVersion,
        load_version,
        open_version,
        store_version,
        version_record,
        version_records,
    )
else:
    __getattr__ = light_door(__name__)

__all__ = [
    "Column",
    "ColumnContract",
    "ColumnKind",
    "ColumnShift",
    "Contract",
    "ContractCheck",
    "Correction",
    "Dataset",
    "DatasetVersion",
    "FeatureReference",
    "ReferenceProfile",
    "Roles",
    "Schema",
    "SealedTest",
    "SourceTable",
    "Split",
    "SplitFacts",
    "SplitRecord",
    "Suggestion",
    "Table",
    "TypeChange",
    "VersionDiff",
    "Violation",
    "ViolationCount",
    "as_divided",
    "assign_roles",
    "bin_labels",
    "build_profile",
    "category_text",
    "changed_source",
    "check_columns",
    "check_quantiles",
    "check_table",
    "class_shares",
    "conform",
    "corrected_split",
    "corrections_in_force",
    "count_bins",
    "debiased_psi",
    "decided_rows",
    "derive_contract",
    "diff_versions",
    "draft_problem",
    "enter_source",
    "extend_split",
    "fingerprint",
    "history_joiner",
    "infer_schema",
    "keep_version",
    "load_split",
    "load_version",
    "located",
    "make_split",
    "open_source",
    "open_version",
    "openings_of",
    "positive_class",
    "read_declared",
    "read_source",
    "read_table",
    "record_correction",
    "resolve",
    "row_digests",
    "seal_rows",
    "settled",
    "smoothed_psi",
    "split_facts",
    "store_version",
    "suggest",
    "undo_correction",
    "unknown_rows",
    "version_record",
    "version_records",
    "with_history",
]
