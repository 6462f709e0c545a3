"""Signed checkpoints: what the last row was, kept where whoever may write the database may not.

Takes: the last row of a ledger, a private key.
Gives: signatures in files and object storage; whether a ledger agrees with them.
Never: signs with a key that others may read, or believes a key that nobody trusts.
"""

from modelyard.store.checkpoints.keys import make_key, public_key
from modelyard.store.checkpoints.notary import Notary, key_of, notary_of
from modelyard.store.checkpoints.records import Checkpoint

__all__ = ["Checkpoint", "Notary", "key_of", "make_key", "notary_of", "public_key"]
