"""From a draft to a package: its files, what it needs, and the proofs without which nothing is published.

Takes: a model that is ready to answer, with what it was made from.
Gives: the published package, or a refusal.
Never: knows how the model learnt.
"""

from modelyard.packaging.finishing.details import BuildDetails
from modelyard.packaging.finishing.draft import Draft
from modelyard.packaging.finishing.files import Content, seal, size_mb, write_files
from modelyard.packaging.finishing.needs import requirements_of, types_of
from modelyard.packaging.finishing.opening import Origin, open_manifest
from modelyard.packaging.finishing.proofs import require_limits, require_parity
from modelyard.packaging.finishing.rows import (
    LABEL,
    SCORE,
    logged_scores,
    prove_rows,
    reference_of,
    scoring_files,
)
from modelyard.packaging.finishing.said import own_answers_tell_more

__all__ = [
    "LABEL",
    "SCORE",
    "BuildDetails",
    "Content",
    "Draft",
    "Origin",
    "logged_scores",
    "open_manifest",
    "own_answers_tell_more",
    "prove_rows",
    "reference_of",
    "require_limits",
    "require_parity",
    "requirements_of",
    "scoring_files",
    "seal",
    "size_mb",
    "types_of",
    "write_files",
]
