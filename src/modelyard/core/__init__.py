"""Words of the house.

Takes: nothing but the standard library.
Gives: records, findings, errors, seeds, clock, progress events, digests and atomic files to every room.
Never: knows a file format, a vendor or another room.
"""

from modelyard.core.actor import Actor, system_actor
from modelyard.core.clock import Clock, system_clock
from modelyard.core.digest import canonical_json, digest_bytes, digest_file, digest_json
from modelyard.core.errors import (
    ConfigError,
    DataError,
    GateRefusedError,
    InconclusiveError,
    IntegrityError,
    LockedError,
    MissingExtraError,
    ModelyardError,
    NotPermittedError,
    StateError,
    UndoneError,
    WaitingForApprovalError,
)
from modelyard.core.files import (
    atomic_directory,
    exclusive_lock,
    remove_directory,
    remove_unfinished,
    write_atomic,
    write_json_atomic,
)
from modelyard.core.findings import Finding, Severity, worst_severity
from modelyard.core.identifiers import new_id, new_ids
from modelyard.core.installed import installed_versions, load_registered
from modelyard.core.progress import Progress, ProgressEvent, silent
from modelyard.core.record import Record
from modelyard.core.seeds import derive_seed

__all__ = [
    "Actor",
    "Clock",
    "ConfigError",
    "DataError",
    "Finding",
    "GateRefusedError",
    "InconclusiveError",
    "IntegrityError",
    "LockedError",
    "MissingExtraError",
    "ModelyardError",
    "NotPermittedError",
    "Progress",
    "ProgressEvent",
    "Record",
    "Severity",
    "StateError",
    "UndoneError",
    "WaitingForApprovalError",
    "atomic_directory",
    "canonical_json",
    "derive_seed",
    "digest_bytes",
    "digest_file",
    "digest_json",
    "exclusive_lock",
    "installed_versions",
    "load_registered",
    "new_id",
    "new_ids",
    "remove_directory",
    "remove_unfinished",
    "silent",
    "system_actor",
    "system_clock",
    "worst_severity",
    "write_atomic",
    "write_json_atomic",
]
