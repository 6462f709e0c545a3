"""Identifiers that sort by time (UUID version 7, RFC 9562 section 5.7; below a millisecond by its section 6.2, method 3)."""

import os
import time

__all__ = ["new_id", "new_ids"]

_MILLISECOND = 1_000_000
_PARTS = 4_096
"""A millisecond is told in so many parts, a quarter of a microsecond each: what follows in one thread sorts after it."""

_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The variant of RFC 9562 is binary 10; two bits of the digit that bears it are left."""


def new_id() -> str:
    """A fresh UUIDv7: 48 bits of Unix time in milliseconds, 12 of the millisecond's part, then 62 random bits.

    >>> new_id()[14]
    '7'
    """
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """Several of the same moment, for the price of one question to the system's source of randomness.

    >>> len(set(new_ids(100)))
    100
    """
    milliseconds, rest = divmod(time.time_ns(), _MILLISECOND)
    moment, part = f"{milliseconds:012x}", f"{rest * _PARTS // _MILLISECOND:03x}"
    begin, digits = f"{moment[:8]}-{moment[8:]}-7{part}", os.urandom(8 * count).hex()
    return [_with(begin, digits[start : start + 16]) for start in range(0, 16 * count, 16)]


def _with(begin: str, random: str) -> str:
    """The id with 16 random digits, of which one bears the variant."""
    return f"{begin}-{_VARIANTS[random[0]]}{random[1:4]}-{random[4:]}"
