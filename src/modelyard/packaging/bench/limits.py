"""Declared limits beside what was measured."""

import dataclasses
from collections.abc import Mapping

from modelyard.core import Record
from modelyard.packaging.latency import Measurement

__all__ = ["Limit", "held_against"]


@dataclasses.dataclass(frozen=True)
class Limit(Record):
    """One limit of the project file, as ``constraints`` calls it, and what was measured."""

    name: str
    limit: float
    measured: float
    kept: bool

    @property
    def in_words(self) -> str:
        """What was measured, and on which side of the limit."""
        side = "above" if self.measured > self.limit else "below" if self.measured < self.limit else "at"
        return f"{self.name} {self.measured:.4g} {side} {self.limit:g}"


def held_against(constraints: Mapping[str, float | None], measured: Measurement, size_mb: float) -> tuple[Limit, ...]:
    """Every limit that is declared and is about running a package.

    Parameters
    ----------
    constraints
        The section of the project file; None is no limit. Throughput is a least value, all others are largest ones.
    size_mb
        Of the package.
    """
    found = {
        "latency_p99_ms": measured.latency_p99_ms,
        "throughput_per_s": measured.throughput_per_s,
        "memory_mb": measured.memory_mb,
        "model_size_mb": size_mb,
    }
    held = []
    for name, value in found.items():
        limit = constraints.get(name)
        if limit is not None:
            kept = value >= limit if name == "throughput_per_s" else value <= limit
            held.append(Limit(name, limit, value, kept))
    return tuple(held)
