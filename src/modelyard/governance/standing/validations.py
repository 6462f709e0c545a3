"""Validations: somebody who built nothing of a version says whether it holds."""

import dataclasses
import datetime as dt

import sqlalchemy as sa

from modelyard.core import Record
from modelyard.governance.records import ModelVersion
from modelyard.governance.standing.told import told

__all__ = ["VALIDATED", "Validation", "read_validations"]

VALIDATED = "version.validated"


@dataclasses.dataclass(frozen=True)
class Validation(Record):
    """A validator's word on the bytes of one version.

    Parameters
    ----------
    name, version, digest
        What was looked at.
    validator, reason, at
        Who, what was found, when.
    holds
        Whether it may be used as it is meant.
    policy
        Digest of what was asked of it then.
    """

    name: str
    version: int
    digest: str
    validator: str
    reason: str
    holds: bool
    policy: str
    at: dt.datetime


def read_validations(connection: sa.Connection, version: ModelVersion) -> tuple[Validation, ...]:
    """Those of these very bytes, oldest first."""
    rows = told(connection, VALIDATED, subject=version.subject)
    found = (
        Validation(
            version.name,
            version.version,
            str(row.details["digest"]),
            row.actor,
            str(row.details["reason"]),
            bool(row.details["holds"]),
            str(row.details["policy"]),
            row.at,
        )
        for row in rows
    )
    return tuple(item for item in found if item.digest == version.digest)
