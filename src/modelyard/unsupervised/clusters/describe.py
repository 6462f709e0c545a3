"""Clusters in words: what sets each apart from all other rows."""

import numpy as np
import polars as pl

from modelyard.data import Column, ColumnKind, category_text
from modelyard.report import format_number, format_percent
from modelyard.unsupervised.clusters.methods import Labels
from modelyard.unsupervised.clusters.records import Cluster, Trait

__all__ = ["describe"]

_MOST_TRAITS = 4
_CLEAR_DEVIATIONS = 0.5
_CLEAR_SHARES = 0.15
_MUCH = 1.5


def describe(
    frame: pl.DataFrame, columns: tuple[Column, ...], labels: Labels, stability: dict[int, float]
) -> tuple[Cluster, ...]:
    """Every cluster with its size, stability and traits; labels are 0, 1 … by size.

    A number sets a cluster apart if its mean lies half a deviation of all rows away from that of the others; a category
    if its share is 15 points larger or smaller.
    """
    found = []
    for label in range(int(labels.max()) + 1):
        member = pl.Series(labels == label)
        traits = [trait for column in columns if (trait := _trait(frame[column.name], column, member)) is not None]
        traits.sort(key=lambda trait: -trait.strength)
        rows, share = int(member.sum()), float(member.mean() or 0.0)  # type: ignore[arg-type]
        sentence = _sentence(label + 1, rows, share, traits)
        found.append(Cluster(label + 1, rows, share, stability.get(label, 0.0), tuple(traits[:_MOST_TRAITS]), sentence))
    return tuple(found)


def _trait(values: pl.Series, column: Column, member: pl.Series) -> Trait | None:
    """What a column says of a cluster; None if it says nothing."""
    return _number(values, member) if column.kind is ColumnKind.NUMERIC else _category(values, member)


def _number(values: pl.Series, member: pl.Series) -> Trait | None:
    inside, outside = values.filter(member).drop_nulls(), values.filter(~member).drop_nulls()
    spread = values.std()
    if inside.is_empty() or outside.is_empty() or not spread:
        return None
    gap = (float(np.mean(inside.to_numpy())) - float(np.mean(outside.to_numpy()))) / float(str(spread))
    if abs(gap) < _CLEAR_DEVIATIONS:
        return None
    word = ("very " if abs(gap) >= _MUCH else "") + ("high" if gap > 0 else "low")
    middle, other = (format_number(float(str(part.median()))) for part in (inside, outside))
    return Trait(values.name, f"`{values.name}` is {word} (median {middle} against {other})", abs(gap))


def _category(values: pl.Series, member: pl.Series) -> Trait | None:
    text = category_text(values).fill_null("missing")
    best: tuple[float, str, float, float] | None = None
    for level in text.unique().sort():
        inside = float((text.filter(member) == level).mean() or 0.0)
        outside = float((text.filter(~member) == level).mean() or 0.0)
        if best is None or abs(inside - outside) > best[0]:
            best = abs(inside - outside), str(level), inside, outside
    if best is None or best[0] < _CLEAR_SHARES:
        return None
    _, level, inside, outside = best
    word = "mostly" if inside >= 0.5 else "more often" if inside > outside else "seldom"
    said = f"`{values.name}` is {word} {level} ({format_percent(inside, 0)} against {format_percent(outside, 0)})"
    # Shares are put beside deviations: a difference of one half counts as much as one deviation.
    return Trait(values.name, said, 2 * best[0])


def _sentence(number: int, rows: int, share: float, traits: list[Trait]) -> str:
    said = "; ".join(trait.said for trait in traits[:_MOST_TRAITS]) or "no single column sets it apart"
    return f"Cluster {number} ({rows:,} rows, {format_percent(share, 0)}): {said}."
