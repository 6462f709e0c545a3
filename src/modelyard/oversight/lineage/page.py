"""A version's lineage as a page: whence, by whom, whereto."""

from collections.abc import Sequence

from modelyard.oversight.lineage.records import Link, VersionLineage
from modelyard.problem import Problem
from modelyard.report import Fact, Facts, Figure, LayerNode, Page, Prose, Section, Table, layer_chart

__all__ = ["lineage_page", "short"]

_SHORT = 12
_MOST_DRAWN = 8


def lineage_page(found: VersionLineage, problem: Problem) -> Page:
    """The page; ``render_html`` or ``render_markdown`` make a file of it."""
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(found.environment.items()))
    sections = (
        Section("At a glance", (_facts(found), _chart(found))),
        Section(
            "Made from",
            (_table(found.made_from), Prose(f"Computed with {libraries}."))
            if libraries
            else (_table(found.made_from),),
        ),
        Section("Approvals", (_approvals(found),)),
        Section("What became of it", (_table(found.became),)),
    )
    owner = f"Owner: {problem.owner}. " if problem.owner else ""
    return Page(
        f"Lineage of {found.subject}",
        f"Stage {found.stage}, package {found.digest[:_SHORT]}",
        sections,
        f"{owner}Told from the ledger and the records; what they do not say is not said here.",
    )


def short(id_: str) -> str:
    """A digest or an id at a length that people compare; addresses and names as they are."""
    is_code = len(id_) >= 32 and all(letter in "0123456789abcdef-" for letter in id_)
    return id_[:_SHORT] if is_code else id_


def _facts(found: VersionLineage) -> Facts:
    traffic = found.traffic
    asked = "never asked" if traffic.since is None else f"{traffic.since:%Y-%m-%d} to {traffic.until:%Y-%m-%d}"
    commit = found.code_commit[:_SHORT] or "none"
    return Facts(
        (
            Fact("Package", "as registered" if not found.intact else "CHANGED", found.intact or found.digest[:_SHORT]),
            Fact("Commit", commit, "of the project, when it was packaged"),
            Fact("Answers", f"{traffic.answers:,}", asked),
            Fact("Labels", f"{traffic.labels:,}", "came back"),
            Fact("Successors", ", ".join(found.successors) or "none"),
        )
    )


def _chart(found: VersionLineage) -> Figure:
    """Every thing once, below what it was made from; the latest steps only, where there are many."""
    links = (*found.made_from, *found.became[-_MOST_DRAWN:])
    pairs = [(given, link.thing) for link in links if link.thing for given in link.given]
    things = dict.fromkeys(thing for pair in pairs for thing in pair)
    nodes = [
        LayerNode(str(thing), str(thing.kind), short(thing.id).rpartition("/")[2], is_marked=thing.id == found.subject)
        for thing in things
    ]
    return layer_chart(
        nodes, [(str(first), str(second)) for first, second in pairs], title="What was made of what"
    ).with_caption("Above, what was there before; the box with the dark rim is this version.")


def _table(links: Sequence[Link]) -> Table:
    rows = tuple(
        (
            f"{link.at:%Y-%m-%d %H:%M}",
            link.job,
            str(link.thing.kind) if link.thing else "–",
            short(link.thing.id) if link.thing else "–",
            f"FAILED: {link.failed}" if link.failed else link.says,
            link.by or "–",
        )
        for link in links
    )
    return Table(("At", "Step", "Gave", "Which", "What is known", "Who"), rows)


def _approvals(found: VersionLineage) -> Table | Prose:
    if not found.approvals:
        return Prose("Nobody has approved it.")
    rows = tuple(
        (
            f"{item.approval.at:%Y-%m-%d}",
            item.approval.approver,
            item.approval.reason,
            "in force" if item.in_force else item.void,
            f"{item.approval.expires_at:%Y-%m-%d}" if item.approval.expires_at else "–",
        )
        for item in found.approvals
    )
    return Table(("At", "Who", "Why", "Counts", "Until"), rows)
