"""The same page as Markdown, for terminals, pull requests and model hubs."""

import re

from modelyard.core import Finding
from modelyard.report.blocks import Block, Details, Facts, Figure, Findings, Page, Prose, Section, Table
from modelyard.report.grouping import Group, group_findings
from modelyard.report.marks import inline_markdown, plain_markdown
from modelyard.report.page_html import SEVERITY_NAMES, evidence_text, svg_texts, tally_text

__all__ = ["render_markdown"]


def render_markdown(page: Page) -> str:
    """The page as GitHub-flavoured Markdown; charts become their title and description in words."""
    parts = [f"# {plain_markdown(page.title)}"]
    if page.subtitle:
        parts.append(inline_markdown(page.subtitle))
    parts += [_section(section) for section in page.sections]
    if page.footer:
        parts += ["---", inline_markdown(page.footer)]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> str:
    parts = [f"## {plain_markdown(section.title)}"]
    if section.lead:
        parts.append(inline_markdown(section.lead))
    parts += [_block(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part)


def _block(block: Block) -> str:
    """One block as Markdown."""
    match block:
        case Prose(text=text):
            return _prose(text)
        case Facts(items=items):
            lines = [
                f"- **{plain_markdown(one.label)}:** {plain_markdown(one.value)}{_note(one.note)}" for one in items
            ]
            return "\n".join(lines)
        case Table():
            return _table(block)
        case Figure(svg=svg, caption=caption):
            title, description = (plain_markdown(text) for text in svg_texts(svg))
            words = " ".join(part for part in (description, inline_markdown(caption)) if part)
            return f"> **Figure: {title}.** {words}".rstrip()
        case Findings():
            return _findings(block)
        case Details(summary=summary, blocks=blocks):
            inner = "\n\n".join(_block(one) for one in blocks)
            return f"**{plain_markdown(summary)}**\n\n{inner}"


def _note(note: str) -> str:
    return f" ({inline_markdown(note)})" if note else ""


def _prose(text: str) -> str:
    """Paragraphs and lists, line breaks kept only between list items."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines and all(line.startswith("- ") for line in lines):
            parts.append("\n".join(f"- {inline_markdown(line[2:])}" for line in lines))
        else:
            parts.append(inline_markdown(" ".join(lines)))
    return "\n\n".join(parts)


def _table(block: Table) -> str:
    width = len(block.columns)
    head = "| " + " | ".join(plain_markdown(name) for name in block.columns) + " |"
    rule = "|" + "|".join(" ---: " if index in block.numeric else " --- " for index in range(width)) + "|"
    rows = [
        "| " + " | ".join(plain_markdown(cell) for cell in [*row, *[""] * (width - len(row))][:width]) + " |"
        for row in block.rows
    ]
    caption = [inline_markdown(block.caption), ""] if block.caption else []
    return "\n".join([*caption, head, rule, *rows])


def _findings(block: Findings) -> str:
    if not block.findings:
        return inline_markdown(block.empty)
    items = (_card(group) for group in group_findings(block.findings))
    return "\n".join([f"{tally_text(block.findings)}", "", *items])


def _card(group: Group) -> str:
    """A finding with all that it says; of several, what they share and then each."""
    first = group[0]
    badge = f"**{SEVERITY_NAMES[first.severity]}**"
    shared = [f"  {inline_markdown(text)}" for text in (first.why, first.action) if text]
    if len(group) == 1:
        subject = f" `{first.subject.replace('`', '')}`" if first.subject else ""
        return "\n".join([f"- {badge}{subject}: {inline_markdown(first.message)}", *shared, *_evidence(first, "  ")])
    lines = [f"- {badge} {plain_markdown(first.id)}, {len(group)} times:", *shared]
    for finding in group:
        lines += [f"  - {inline_markdown(finding.message)}", *_evidence(finding, "    ")]
    return "\n".join(lines)


def _evidence(finding: Finding, indent: str) -> list[str]:
    evidence = evidence_text(finding.evidence)
    return [f"{indent}*{plain_markdown(evidence)}*"] if evidence else []
