"""Who may ask, and how often.

Takes: the header of a request, the keys that are valid, a rate.
Gives: the caller, or a refusal: 401 without a key, 403 with one that may not, 429 for one that asks too often.
Never: keeps or writes down a key; only hashes are known here.
"""

from modelyard.serving.access.guard import Guard, is_local
from modelyard.serving.access.keys import Caller, Keys, KeySource, hash_of
from modelyard.serving.access.rates import Rates
from modelyard.serving.access.sources import KeyFile, TokenKeys

__all__ = ["Caller", "Guard", "KeyFile", "KeySource", "Keys", "Rates", "TokenKeys", "hash_of", "is_local"]
