"""Identifiers that sort by time (UUID version 7, RFC 9562 section 5.7)."""

import os
import time

__all__ = ["new_id", "new_ids"]

_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The variant of RFC 9562 is binary 10; two bits of the digit that bears it are left."""


def new_id() -> str:
    """A fresh UUIDv7: 48 bits of Unix time in milliseconds, then 74 random bits.

    >>> new_id()[14]
    '7'
    """
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """Several of the same moment, for the price of one question to the system's source of randomness.

    >>> len(set(new_ids(100)))
    100
    """
    moment = f"{time.time_ns() // 1_000_000:012x}"
    begin, digits = f"{moment[:8]}-{moment[8:]}-7", os.urandom(10 * count).hex()
    return [_with(begin, digits[start : start + 19]) for start in range(0, 20 * count, 20)]


def _with(begin: str, random: str) -> str:
    """The id with 19 random digits, of which one bears the variant."""
    return f"{begin}{random[:3]}-{_VARIANTS[random[3]]}{random[4:7]}-{random[7:]}"
