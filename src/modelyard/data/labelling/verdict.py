"""One label a row, by a rule that is recorded: whose labels count, and what holds if they differ."""

import collections
import dataclasses
import itertools
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from modelyard.core import ConfigError, Record
from modelyard.data.labelling.agreement import Agreement, cohen_kappa
from modelyard.data.labelling.annotations import Annotations

__all__ = ["Dispute", "LabelRule", "Verdict", "settle"]


@dataclasses.dataclass(frozen=True)
class LabelRule(Record):
    """What holds.

    Parameters
    ----------
    disputes
        ``majority``: the label of more than half of a row's annotators; ``unanimous``: only rows on which all agree.
    least_kappa
        Annotators whose mean kappa with the others is below are left out, the worst first; None for nobody.
    least_annotators
        Rows with fewer labels are left out; 1 or more.
    """

    disputes: Literal["majority", "unanimous"] = "majority"
    least_kappa: float | None = None
    least_annotators: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """A rule as it is written in a command: ``majority kappa>=0.4 annotators>=2``.

        Raises
        ------
        ConfigError
            If it is no such rule.

        Examples
        --------
        >>> LabelRule.parse("unanimous annotators>=2")
        LabelRule(disputes='unanimous', least_kappa=None, least_annotators=2)
        """
        found = re.fullmatch(r"(majority|unanimous)(?: kappa>=(-?[\d.]+))?(?: annotators>=([1-9]\d*))?", text.strip())
        if found is None:
            raise ConfigError(
                "there is no such rule for labels",
                where="label --rule",
                got=repr(text),
                cure="Write majority or unanimous, then if wanted kappa>=0.4 and annotators>=2, in this order",
            )
        word, kappa, annotators = found.groups()
        disputes: Literal["majority", "unanimous"] = "majority" if word == "majority" else "unanimous"
        return cls(disputes, None if kappa is None else float(kappa), int(annotators or 1))


@dataclasses.dataclass(frozen=True)
class Dispute(Record):
    """A row on which annotators differ: who said what, and what holds (None if nothing does)."""

    row: str
    labels: Mapping[str, str]
    held: str | None


@dataclasses.dataclass(frozen=True)
class Verdict(Record):
    """What all labels together say.

    Parameters
    ----------
    rule
        The rule that was applied.
    labels
        Row to label, for every row that has one.
    disputes
        Rows on which annotators differ, by row.
    too_few
        Rows with fewer labels than the rule wants.
    agreements
        Each pair of annotators.
    left_out
        Annotators whose labels were not counted, with their mean kappa.
    """

    rule: LabelRule
    labels: Mapping[str, str]
    disputes: tuple[Dispute, ...]
    too_few: int
    agreements: tuple[Agreement, ...]
    left_out: Mapping[str, float]


def settle(annotations: Sequence[Annotations], rule: LabelRule) -> Verdict:
    """One label a row. Of two labels that one annotator gave a row at different times, the later counts.

    Parameters
    ----------
    annotations
        The oldest first.
    """
    said: dict[str, dict[str, str]] = {}
    for item in annotations:
        said.setdefault(item.annotator, {}).update(item.labels)
    agreements = tuple(_agreement(one, other, said) for one, other in itertools.combinations(sorted(said), 2))
    left_out = _unreliable(sorted(said), agreements, rule)
    by_row: dict[str, dict[str, str]] = {}
    for annotator in sorted(said):
        for row, label in said[annotator].items() if annotator not in left_out else ():
            by_row.setdefault(row, {})[annotator] = label
    enough = {row: labels for row, labels in sorted(by_row.items()) if len(labels) >= rule.least_annotators}
    held = {row: _held(labels, rule) for row, labels in enough.items()}
    return Verdict(
        rule=rule,
        labels={row: label for row, label in held.items() if label is not None},
        disputes=tuple(Dispute(row, enough[row], held[row]) for row in enough if len(set(enough[row].values())) > 1),
        too_few=len(by_row) - len(enough),
        agreements=agreements,
        left_out=left_out,
    )


def _agreement(one: str, other: str, said: Mapping[str, Mapping[str, str]]) -> Agreement:
    common = sorted(set(said[one]) & set(said[other]))
    return cohen_kappa([said[one][row] for row in common], [said[other][row] for row in common], (one, other))


def _unreliable(annotators: Sequence[str], agreements: Sequence[Agreement], rule: LabelRule) -> dict[str, float]:
    """Annotators below the rule's kappa, the worst first and the others judged anew without them.

    Of two who differ nobody knows which is right, and both go. Who shares no rows with anybody cannot be judged and stays.
    """
    found: dict[str, float] = {}
    while rule.least_kappa is not None:
        means = _means([name for name in annotators if name not in found], agreements)
        worst = min(means.values(), default=rule.least_kappa)
        if worst >= rule.least_kappa:
            break
        found |= {name: mean for name, mean in means.items() if mean == worst}
    return found


def _means(annotators: Sequence[str], agreements: Sequence[Agreement]) -> dict[str, float]:
    """The mean kappa of each annotator with the others of them."""
    kappas: dict[str, list[float]] = {}
    for item in agreements:
        if item.kappa is not None and item.first in annotators and item.second in annotators:
            kappas.setdefault(item.first, []).append(item.kappa)
            kappas.setdefault(item.second, []).append(item.kappa)
    return {name: statistics.fmean(values) for name, values in kappas.items()}


def _held(labels: Mapping[str, str], rule: LabelRule) -> str | None:
    """The label that holds for a row."""
    label, votes = collections.Counter(labels.values()).most_common(1)[0]
    wanted = len(labels) if rule.disputes == "unanimous" else len(labels) // 2 + 1
    return label if votes >= wanted else None
