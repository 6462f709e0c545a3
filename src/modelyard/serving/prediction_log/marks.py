"""Marks in a log folder: that it is copied to a database, and which segments were copied to their end."""

from pathlib import Path

__all__ = ["LOCK_NAME", "is_shipped", "mark_of"]

LOCK_NAME = ".shipping.lock"
"""In a log folder that is copied; compaction leaves segments alone there until they are."""


def mark_of(segment: Path) -> Path:
    """The file that says that a closed segment was copied to its end."""
    return segment.with_suffix(".shipped")


def is_shipped(segment: Path) -> bool:
    """True if a segment was copied to its end, or is in no folder that is copied."""
    return mark_of(segment).exists() or not (segment.parent / LOCK_NAME).exists()
