"""Findings that say the same of many subjects stand together, so that a page has one card where there is one thing to do."""

from collections.abc import Iterable, Sequence

from modelyard.core import Finding

__all__ = ["SHOWN", "Group", "group_findings"]

Group = Sequence[Finding]
"""One finding, or three and more that differ in subject, message and evidence alone."""

SHOWN = 3
"""So many of a group are read at once; the others are folded, or counted."""

_TOGETHER = 3


def group_findings(findings: Iterable[Finding]) -> list[Group]:
    """Groups, the most severe first; otherwise in the order in which they come.

    >>> from modelyard.core import Severity
    >>> def drift(column): return Finding("drift", Severity.WARNING, column, "It moved.", "Why.", "Look.")
    >>> lone = Finding("leak", Severity.ERROR, "d", "It leaks.", "Why.", "Drop it.")
    >>> [[one.subject for one in group] for group in group_findings([drift("a"), drift("b"), lone, drift("c")])]
    [['d'], ['a', 'b', 'c']]
    >>> [[one.subject for one in group] for group in group_findings([drift("a"), drift("b")])]
    [['a'], ['b']]
    """
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.severity.rank):
        alike.setdefault((finding.severity, finding.id, finding.why, finding.action, finding.row), []).append(finding)
    groups: list[Group] = []
    for group in alike.values():
        groups += [group] if len(group) >= _TOGETHER else [[finding] for finding in group]
    return groups
