"""Which record supports which clause. It supports; whether somebody complies is for them and their advisers to say."""

import dataclasses

from modelyard.core import Record

__all__ = ["CROSSWALK", "Clause"]


@dataclasses.dataclass(frozen=True)
class Clause(Record):
    """One kind of record.

    Parameters
    ----------
    record
        What it is.
    file
        Where it stands in the export.
    supports
        Clauses to which it contributes: the EU's AI Act (Regulation 2024/1689), ISO/IEC 42001:2023 Annex A, NIST AI RMF 1.0.
    retention
        ``log`` or ``document``: which least time holds for it.
    personal
        What of persons it holds.
    """

    record: str
    file: str
    supports: tuple[str, ...]
    retention: str
    personal: str


CROSSWALK = (
    Clause(
        "Identity, purpose, users, what it must not be used for",
        "cards/",
        ("AI Act Annex IV 1", "AI Act Art. 13", "ISO 42001 A.6.2.7", "NIST MAP 1.1"),
        "document",
        "names and contacts of owners",
    ),
    Clause(
        "Data: sources, windows, sizes, collection, known biases",
        "cards/",
        ("AI Act Art. 10", "AI Act Annex IV 2", "ISO 42001 A.7", "NIST MAP 4"),
        "document",
        "none: counts and digests of rows",
    ),
    Clause(
        "Method, parameters, features, code commit, environment",
        "cards/",
        ("AI Act Annex IV 2", "ISO 42001 A.6.2.7"),
        "document",
        "none",
    ),
    Clause(
        "Figures with intervals, segments, gaps between groups, limits",
        "cards/",
        ("AI Act Art. 15", "AI Act Annex IV 3-4", "ISO 42001 A.6.2.4", "NIST MEASURE 2"),
        "document",
        "none: groups of a size that is told",
    ),
    Clause(
        "Versions, and what differs between them",
        "versions.json, changes/",
        ("AI Act Annex IV 6", "ISO 42001 A.6.2.7"),
        "document",
        "names of who built and registered",
    ),
    Clause(
        "Gates: what was asked, what there was, what was decided",
        "decisions.json",
        ("AI Act Art. 9", "AI Act Art. 17", "ISO 42001 A.6.2.4", "NIST GOVERN 1.4"),
        "document",
        "names of who asked",
    ),
    Clause(
        "Approvals, validations, rejections, conditions, promotions past the gates and their reviews",
        "decisions.json",
        ("AI Act Art. 14", "ISO 42001 A.3.2", "NIST GOVERN 2"),
        "document",
        "names of who decided",
    ),
    Clause(
        "Deployments, rollouts, rollbacks",
        "deployments.json",
        ("AI Act Art. 12", "ISO 42001 A.6.2.6", "NIST MANAGE 4"),
        "document",
        "names of who released",
    ),
    Clause(
        "Logged answers: time, digest of the model, input, score, decision, flags",
        "log.json",
        ("AI Act Art. 12", "AI Act Art. 19", "AI Act Art. 26", "ISO 42001 A.6.2.8"),
        "log",
        "by reference: digests of the log's files, no rows",
    ),
    Clause(
        "Who did what and when, chained by hash",
        "ledger.jsonl",
        ("AI Act Art. 12", "AI Act Art. 18", "ISO 42001 A.6.2.8", "NIST GOVERN 1.4"),
        "document",
        "names of who acted; erased subjects as keyed codes",
    ),
    Clause(
        "Monitoring plan, owners and escalation",
        "plan.json",
        ("AI Act Art. 72", "AI Act Annex IV 9", "ISO 42001 A.6.2.6", "NIST MANAGE 4"),
        "document",
        "names and contacts of owners",
    ),
    Clause(
        "Inventory line: owner, tier, status, reviews, dependencies",
        "inventory.json",
        ("ISO 42001 A.4", "NIST GOVERN 1.6"),
        "document",
        "names and contacts of owners",
    ),
)
"""Every kind of record, in the order of a model's life."""
