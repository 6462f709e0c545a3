"""Text with two marks, ``**bold**`` and backticks for code, as safe HTML or Markdown."""

import html
import re

__all__ = ["escape", "inline_html", "inline_markdown", "plain_markdown"]

_MARK = re.compile(r"\*\*(?P<bold>[^*\n]+)\*\*|`(?P<code>[^`\n]+)`")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~])")


def escape(text: str) -> str:
    """``text`` for HTML or SVG, inside an element or a quoted attribute; characters no document may hold become "�".

    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(_CONTROL.sub("\ufffd", text), quote=True)


def inline_html(text: str) -> str:
    """One line of marked text as HTML.

    >>> inline_html("**Leak:** drop `duration` & go")
    '<strong>Leak:</strong> drop <code>duration</code> &amp; go'
    """
    parts: list[str] = []
    position = 0
    for match in _MARK.finditer(text):
        parts.append(escape(text[position : match.start()]))
        bold = match["bold"]
        parts.append(f"<strong>{escape(bold)}</strong>" if bold else f"<code>{escape(match['code'])}</code>")
        position = match.end()
    parts.append(escape(text[position:]))
    return "".join(parts)


def plain_markdown(text: str) -> str:
    r"""``text`` on one line with everything that Markdown or HTML would interpret escaped.

    >>> plain_markdown("a|b <script> *x*")
    'a\\|b &lt;script&gt; \\*x\\*'
    """
    line = " ".join(_CONTROL.sub("\ufffd", text).split())
    safe = _MARKDOWN.sub(r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"^([#+-]|\d+\.)(?=\s)", r"\\\1", safe)


def inline_markdown(text: str) -> str:
    """One line of marked text as Markdown: the two marks stay, everything else is escaped."""
    parts: list[str] = []
    position = 0
    for match in _MARK.finditer(text):
        parts.append(_keep_spaces(text[position : match.start()]))
        bold = match["bold"]
        parts.append(f"**{plain_markdown(bold)}**" if bold else f"`{_CONTROL.sub('', match['code'])}`")
        position = match.end()
    parts.append(_keep_spaces(text[position:]))
    return "".join(parts)


def _keep_spaces(text: str) -> str:
    """Escaped text that keeps a space at either end, where a mark may follow."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    return before + plain_markdown(text) + after
