"""The manifest: what is in a package, where it came from, and the one digest that names it."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from modelyard.core import Record, digest_json

__all__ = ["CONFORMAL_FILE", "MANIFEST_FILE", "PROTOCOL", "Manifest"]

MANIFEST_FILE = "manifest.json"

CONFORMAL_FILE = "conformal.json"
"""How sure a prediction is; absent where nothing was calibrated."""

PROTOCOL = 3
"""Version of the package format.

The rule: a loader of protocol N accepts every package of protocols 1 to N, and refuses those above N. So the number
goes up with every change that the loaders already released at the present number could not read or would read
differently: a file renamed, added or left out that a loader names; a field added to, removed from or changed in a
record of the package (records refuse unknown fields); a new kind of encoding or predictor, or another meaning of an
existing one. It stays for changes that no loader sees, such as another text in the card's Markdown or another version
of LightGBM behind the same model file. Whoever raises it keeps a package of the old number among the tests, and the
code that reads it.

1: the first. 2: an estimator may be kept by skops (a kind of predictor, and the manifest's field ``skops``).
3: models that learn without a target (tasks anomaly and clustering, two kinds of predictor, ``usual.json``), and a feature of the
profile may tell its ``pace``.
"""


@dataclasses.dataclass(frozen=True)
class Manifest(Record):
    """The contents of a package and their origin.

    Parameters
    ----------
    protocol
        See :data:`PROTOCOL`.
    name, version
        Of the model; the version is what the registry will call it.
    digest
        SHA-256 of the canonical JSON of this record without this field. It covers the digest of every file, so it
        names the whole package.
    files
        Path within the package, with ``/``, to SHA-256. Every file but the manifest itself.
    bytes
        Size of these files together.
    created_at
        When the package was built.
    modelyard_version
        The version that built it.
    code_commit
        Commit of the user's project; empty if it is not under version control.
    dataset_id, split_id, run_id
        What the model was made from.
    ledger_position
        Sequence number of the ledger's last row when the package was built; None if it is not known.
    requirements
        Distribution to version: what scoring needs.
    author
        Who built it; empty if it is not known.
    skops
        Types that must be allowed before the model can be read, if it is an estimator without a native form: for people to
        know. What is allowed never follows from it.
    """

    protocol: int
    name: str
    version: str
    digest: str
    files: Mapping[str, str]
    bytes: int
    created_at: dt.datetime
    modelyard_version: str
    code_commit: str
    dataset_id: str
    split_id: str
    run_id: str
    ledger_position: int | None
    requirements: Mapping[str, str]
    author: str = ""
    skops: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data; a field that protocol 1 does not know stands there only if it says something."""
        content = super().to_dict()
        if not self.skops:
            del content["skops"]
        return content

    def expected_digest(self) -> str:
        """The digest that the other fields call for."""
        return digest_json({name: value for name, value in self.to_dict().items() if name != "digest"})

    def sealed(self) -> "Manifest":
        """The same manifest with its digest."""
        return dataclasses.replace(self, digest=self.expected_digest())
