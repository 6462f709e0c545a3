"""Stagings: how a version did on an address of its own, before requests came to it."""

import dataclasses
import datetime as dt

import sqlalchemy as sa

from modelyard.core import Record
from modelyard.governance.records import ModelVersion
from modelyard.governance.standing.told import told

__all__ = ["STAGED", "Staging", "read_stagings"]

STAGED = "version.staged"


@dataclasses.dataclass(frozen=True)
class Staging(Record):
    """One trial of one version's bytes.

    Parameters
    ----------
    name, version, digest
        What was tried.
    by, at
        Who did it, when.
    passed
        Whether everything was answered as it should be.
    said
        What was found, in words.
    """

    name: str
    version: int
    digest: str
    by: str
    passed: bool
    said: str
    at: dt.datetime


def read_stagings(connection: sa.Connection, version: ModelVersion) -> tuple[Staging, ...]:
    """Those of these very bytes, oldest first."""
    rows = told(connection, STAGED, subject=version.subject)
    found = (
        Staging(
            version.name,
            version.version,
            str(row.details["digest"]),
            row.actor,
            bool(row.details["passed"]),
            str(row.details["said"]),
            row.at,
        )
        for row in rows
    )
    return tuple(item for item in found if item.digest == version.digest)
