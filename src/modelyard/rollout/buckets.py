"""Sticky assignment: a key falls into the same place of [0, 1) each time, and into another one for another rollout."""

import hashlib

__all__ = ["share_of"]

_WHOLE = float(1 << 53)


def share_of(salt: str, key: str) -> float:
    """Where a key falls in [0, 1), evenly for keys of any kind.

    A checksum such as CRC-32 would not do: it is linear, so that the same callers would fall together in every rollout.

    >>> share_of("a", "customer-7") == share_of("a", "customer-7")
    True
    >>> 0 <= share_of("b", "customer-7") < 1
    True
    """
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=salt.encode()[:64]).digest()
    return (int.from_bytes(digest, "big") >> 11) / _WHOLE
