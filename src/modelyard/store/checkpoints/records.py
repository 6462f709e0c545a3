"""A checkpoint, and the bytes of it that are signed."""

import dataclasses
import datetime as dt

from modelyard.core import Record, canonical_json

__all__ = ["Checkpoint"]

_PREFIX = b"modelyard ledger checkpoint 1\n"
"""Before the signed bytes: a signature made for another purpose never fits."""


@dataclasses.dataclass(frozen=True)
class Checkpoint(Record):
    """That a ledger had this row at a time, said by the owner of a key. It vouches for all rows up to it: they are chained.

    Parameters
    ----------
    sequence, hash
        Of the row.
    at
        When it was signed, by the clock of the machine that signed.
    key
        The public key, in hexadecimal.
    signature
        Ed25519's, of everything else; in hexadecimal.
    """

    sequence: int
    hash: str
    at: dt.datetime
    key: str
    signature: str

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        values = self.to_dict()
        del values["signature"]
        return _PREFIX + canonical_json(values)
