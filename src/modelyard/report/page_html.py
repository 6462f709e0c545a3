"""A page as one HTML file that needs nothing else: no network, and no script but its own for figures."""

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.core import Finding, Severity
from modelyard.report.blocks import Block, Details, Facts, Figure, Findings, Page, Prose, Section, Table
from modelyard.report.grouping import SHOWN, Group, group_findings
from modelyard.report.marks import escape, inline_html
from modelyard.report.numbers import format_number
from modelyard.report.script import SCRIPT, SCRIPT_SOURCE
from modelyard.report.style import STYLE

__all__ = ["SEVERITY_NAMES", "evidence_text", "render_html", "svg_texts", "tally_text"]

SEVERITY_NAMES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}
"""What people read; colour only supports it."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_NEGATIVE = re.compile(r"^-(?=[\d∞])")


def render_html(page: Page) -> str:
    """The page as one self-contained HTML document, light or dark by the reader's choice, and fit to print.

    All text is escaped, and the page's content security policy forbids every request and all scripts. If the page has
    figures, their one script is allowed by its digest: it shows values under the pointer and saves figures as files.
    """
    figures = any(_has_figure(block) for section in page.sections for block in section.blocks)
    policy = f"{_POLICY}; script-src {SCRIPT_SOURCE}" if figures else _POLICY
    script = f"<script>{SCRIPT}</script>" if figures else ""
    anchors = _anchors(page.sections)
    links = "".join(
        f'<li><a href="#{anchor}">{escape(section.title)}</a></li>'
        for anchor, section in zip(anchors, page.sections, strict=True)
    )
    contents = f'<nav aria-label="Contents"><ol>{links}</ol></nav>' if len(page.sections) > 1 else ""
    sections = "\n".join(map(_section, anchors, page.sections))
    footer = f"<footer>{inline_html(page.footer)}</footer>" if page.footer else ""
    subtitle = f"<p>{inline_html(page.subtitle)}</p>" if page.subtitle else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">'
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>\n"
        f'<body><div class="page">\n<header><h1>{escape(page.title)}</h1>{subtitle}</header>\n'
        f"{contents}\n<main>\n{sections}\n</main>\n{footer}\n</div>{script}</body></html>\n"
    )


def _has_figure(block: Block) -> bool:
    if isinstance(block, Details):
        return any(_has_figure(inner) for inner in block.blocks)
    return isinstance(block, Figure)


def svg_texts(svg: str) -> tuple[str, str]:
    """Title and description of a chart, as plain text; empty where it has none."""
    found = (re.search(f"<{tag}>(.*?)</{tag}>", svg, re.DOTALL) for tag in ("title", "desc"))
    title, description = (html.unescape(match[1]) if match else "" for match in found)
    return title, description


def tally_text(findings: Sequence[Finding]) -> str:
    """How many findings of each severity: "1 error · 2 warnings"."""
    counts = Counter(finding.severity for finding in findings)
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = [f"{counts[key]} {word}{'s' if counts[key] > 1 else ''}" for key, word in words.items() if counts[key]]
    return " · ".join(parts)


def evidence_text(evidence: Mapping[str, Any]) -> str:
    """Evidence as "name value" pairs on one line; long lists and nested data are left to the JSON."""
    parts: list[str] = []
    for name, value in evidence.items():
        label = str(name).replace("_", " ")
        if isinstance(value, bool | str):
            parts.append(f"{label} {value}")
        elif isinstance(value, int | float):
            parts.append(f"{label} {format_number(value)}")
        elif (
            isinstance(value, list | tuple) and len(value) <= 8 and all(isinstance(v, str | int | float) for v in value)
        ):
            shown = ", ".join(str(v) if isinstance(v, str | bool) else format_number(v) for v in value)
            parts.append(f"{label} {shown}")
    return " · ".join(parts)


def _anchors(sections: Sequence[Section]) -> list[str]:
    """A readable, unique fragment name per section."""
    names: list[str] = []
    for position, section in enumerate(sections, start=1):
        slug = re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or f"section-{position}"
        names.append(slug if slug not in names else f"{slug}-{position}")
    return names


def _section(anchor: str, section: Section) -> str:
    lead = f'<p class="lead">{inline_html(section.lead)}</p>' if section.lead else ""
    blocks = "\n".join(_block(block) for block in section.blocks)
    return f'<section id="{anchor}"><h2>{escape(section.title)}</h2>{lead}\n{blocks}</section>'


def _block(block: Block) -> str:
    """One block as HTML."""
    match block:
        case Prose(text=text):
            return _prose(text)
        case Facts():
            return _facts(block)
        case Table():
            return _table(block)
        case Figure(svg=svg, caption=caption):
            title = svg_texts(svg)[0]
            heading = f"<figcaption>{escape(title)}</figcaption>" if title else ""
            below = f"<p>{inline_html(caption)}</p>" if caption else ""
            return f"<figure>{heading}{svg}{below}</figure>"
        case Findings():
            return _findings(block)
        case Details(summary=summary, blocks=blocks):
            inner = "".join(_block(one) for one in blocks)
            return f"<details><summary>{inline_html(summary)}</summary><div>{inner}</div></details>"


def _prose(text: str) -> str:
    """Paragraphs and lists."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines and all(line.startswith("- ") for line in lines):
            parts.append("<ul>" + "".join(f"<li>{inline_html(line[2:])}</li>" for line in lines) + "</ul>")
        elif lines:
            parts.append(f"<p>{inline_html(' '.join(lines))}</p>")
    return "".join(parts)


def _facts(block: Facts) -> str:
    parts: list[str] = []
    for item in block.items:
        note = f'<dd class="note">{inline_html(item.note)}</dd>' if item.note else ""
        value = _NEGATIVE.sub("−", item.value)
        parts.append(f'<div><dt>{escape(item.label)}</dt><dd class="value">{escape(value)}</dd>{note}</div>')
    return f'<dl class="facts">{"".join(parts)}</dl>'


def _table(block: Table) -> str:
    marks = [' class="n"' if index in block.numeric else "" for index in range(len(block.columns))]
    caption = f"<caption>{inline_html(block.caption)}</caption>" if block.caption else ""
    head = "".join(
        f'<th scope="col"{mark}>{escape(name)}</th>' for mark, name in zip(marks, block.columns, strict=True)
    )
    rows: list[str] = []
    for row in block.rows:
        cells = [*row, *[""] * (len(marks) - len(row))]
        rows.append("".join(_cell(cell, mark) for cell, mark in zip(cells, marks, strict=False)))
    if not rows:
        rows = [f'<td class="empty" colspan="{max(len(marks), 1)}">nothing to show</td>']
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    kind = " compact" if block.compact else ""
    return f'<div class="table{kind}"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, mark: str) -> str:
    shown = _NEGATIVE.sub("−", text) if mark else text
    return f"<td{mark}>{escape(shown)}</td>"


def _findings(block: Findings) -> str:
    if not block.findings:
        return f'<p class="empty">{inline_html(block.empty)}</p>'
    items = "".join(_card(group) for group in group_findings(block.findings))
    return f'<p class="tally">{tally_text(block.findings)}</p><ul class="findings">{items}</ul>'


def _card(group: Group) -> str:
    """A finding with all that it says; of several, what they share and then each."""
    first = group[0]
    row = f'<span class="row">{escape(first.row)}</span>' if first.row else ""
    badge = f'<span class="badge">{SEVERITY_NAMES[first.severity]}</span>'
    why = f'<p class="why">{inline_html(first.why)}</p>' if first.why else ""
    do = f"<p><strong>Do:</strong> {inline_html(first.action)}</p>" if first.action else ""
    if len(group) == 1:
        subject = f"<code>{escape(first.subject)}</code>" if first.subject else ""
        body = f"{_message(first)}{why}{do}{_evidence(first)}"
    else:
        subject = f"<b>{len(group)} times</b>"
        body = f"{why}{do}{_each(group[:SHOWN])}{_folded(group[SHOWN:])}"
    head = f'<p class="head">{badge}{subject}<span>{escape(first.id)}</span>{row}</p>'
    return f'<li class="{first.severity.value}">{head}{body}</li>'


def _each(findings: Group) -> str:
    return "".join(f'<div class="each">{_message(finding)}{_evidence(finding)}</div>' for finding in findings)


def _folded(findings: Group) -> str:
    if not findings:
        return ""
    named = ", ".join(f"<code>{escape(finding.subject)}</code>" for finding in findings)
    return f"<details><summary>And {len(findings)} more: {named}</summary><div>{_each(findings)}</div></details>"


def _message(finding: Finding) -> str:
    return f'<p class="message">{inline_html(finding.message)}</p>'


def _evidence(finding: Finding) -> str:
    evidence = evidence_text(finding.evidence)
    return f'<p class="evidence">{escape(evidence)}</p>' if evidence else ""
