from html.parser import HTMLParser

import pytest

from modelyard.core import Finding, Severity
from modelyard.report import Fact, Facts, Findings, Page, Prose, Section, Table, render_html

_VOID = {"meta", "link", "br", "img"}


class _Reader(HTMLParser):
    """Collects tags, attributes and unbalanced nesting."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.stack: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in _VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(tag)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def _one(*blocks: Prose | Facts | Table | Findings) -> str:
    return render_html(Page("T", "", (Section("S", blocks),))).split("<main>")[1]


def test_hostile_text_stays_text(hostile_page: Page) -> None:
    """Markup in names, messages and labels of every block and chart is shown, never interpreted."""
    reader = _read(render_html(hostile_page))

    assert not {"img", "iframe", "object", "base", "form"} & set(reader.tags)
    assert reader.tags.count("script") == 1  # the page's own, which the policy names by its digest
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name == "src"]
    assert reader.tags.count("style") == 1


def test_tags_are_balanced(hostile_page: Page) -> None:
    """Every element that is opened is closed, in order."""
    reader = _read(render_html(hostile_page))

    assert (reader.faults, reader.stack) == ([], [])


def test_a_page_needs_no_network(plain_page: Page) -> None:
    """The only addresses are fragments, an empty icon and the SVG namespace, and the policy forbids requests."""
    html = render_html(plain_page)
    reader = _read(html)
    addresses = {value for name, value in reader.attributes if name in ("href", "src", "action")}

    assert addresses == {"data:,", "#churn", "#churn-2"}
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    """Characters that no document may hold do not reach the file, which can be encoded as UTF-8."""
    html = _one(Prose("a\x00b\ud800c"))

    assert "a\ufffdb\ufffdc" in html
    assert html.encode("utf-8")


def test_sections_with_one_title_have_different_anchors(plain_page: Page) -> None:
    """The table of contents leads to each section, even where titles repeat."""
    html = render_html(plain_page)

    assert 'id="churn"' in html
    assert 'id="churn-2"' in html


def test_a_page_of_one_section_has_no_contents() -> None:
    """A table of contents with one entry is left out."""
    assert "<nav" not in render_html(Page("T", "", (Section("S", ()),)))


def test_prose_understands_two_marks_paragraphs_and_lists() -> None:
    """Bold, code, blank lines and dashes have their meaning; nothing else has."""
    html = _one(Prose("**a** and `b`\n\n- one\n- two\n\n_c_ # d"))

    assert "<p><strong>a</strong> and <code>b</code></p>" in html
    assert "<ul><li>one</li><li>two</li></ul>" in html
    assert "<p>_c_ # d</p>" in html


def test_numeric_columns_align_right_with_a_real_minus() -> None:
    """Numbers get their class and a minus sign; text with a leading hyphen keeps it."""
    html = _one(Table(("name", "gain"), (("-flag", "-1.5"),), numeric=(1,)))

    assert '<td>-flag</td><td class="n">−1.5</td>' in html


def test_short_and_long_rows_are_fitted_to_the_headings() -> None:
    """A short row is filled, cells beyond the headings are dropped, and no rows at all is said."""
    html = _one(Table(("a", "b"), (("1",), ("1", "2", "3"))), Table(("a",), ()))

    assert "<tr><td>1</td><td></td></tr><tr><td>1</td><td>2</td></tr>" in html
    assert "nothing to show" in html


def test_findings_come_most_severe_first_with_a_word_for_the_colour() -> None:
    """Errors lead, order is kept within a severity, and each severity is written out."""
    findings = tuple(
        Finding("x", severity, name, f"message {name}", "", "")
        for severity, name in (
            (Severity.INFO, "i"),
            (Severity.ERROR, "e"),
            (Severity.WARNING, "w1"),
            (Severity.WARNING, "w2"),
        )
    )
    html = _one(Findings(findings))
    places = [html.index(f"message {name}") for name in ("e", "w1", "w2", "i")]

    assert places == sorted(places)
    assert "1 error · 2 warnings · 1 note" in html
    assert [word in html for word in (">Error<", ">Warning<", ">Note<")] == [True, True, True]


def test_no_findings_is_said() -> None:
    """An empty list says so in the words given."""
    assert "All is well." in _one(Findings((), empty="All is well."))


def test_evidence_is_shown_as_numbers_for_people() -> None:
    """Scalars and short lists of the evidence are shown, nested data are left to the JSON."""
    evidence = {"share_of_rows": 0.123456, "rows": 12345, "values": [1.5, "a"], "nested": {"a": 1}, "flag": True}
    html = _one(Findings((Finding("x", Severity.INFO, "", "m", "", "", evidence),)))

    assert "share of rows 0.1235 · rows 12,345 · values 1.5, a · flag True" in html


def test_two_hundred_columns_fit_into_a_megabyte() -> None:
    """A page with a finding and a table row for each of 200 columns stays under the budget of the design."""
    names = [f"feature_with_a_long_name_{index}" for index in range(200)]
    findings = tuple(Finding("x", Severity.INFO, name, "m" * 120, "w" * 120, "a" * 120, {"n": 1}) for name in names)
    table = Table(tuple("abcdefgh"), tuple((name, *["0.12345"] * 7) for name in names))

    assert len(render_html(Page("T", "", (Section("S", (Findings(findings), table)),))).encode()) < 1_000_000


@pytest.mark.parametrize("value", ["-3 %", "-1,204"])
def test_facts_get_a_real_minus(value: str) -> None:
    """A negative key figure is set with a minus sign."""
    assert f'<dd class="value">−{value[1:]}</dd>' in _one(Facts((Fact("Gain", value),)))


def test_many_that_say_the_same_are_one_card() -> None:
    """What they share is said once; the first are read at once, the others are named and folded."""
    names = [f"c{number}" for number in range(6)]
    alike = tuple(Finding("drift", Severity.WARNING, name, f"`{name}` moved.", "Odd.", "Look.") for name in names)
    html = _one(Findings((*alike, Finding("drift", Severity.ERROR, "score", "It moved.", "Odd.", "Look."))))

    assert html.count('<li class="warning">') == 1
    assert html.count("Odd.") == 2
    assert all(f"<code>{name}</code> moved." in html for name in names)
    seen, folded = html.split("<summary>And 3 more: <code>c3</code>, <code>c4</code>, <code>c5</code></summary>")
    assert "c2</code> moved." in seen
    assert "c3</code> moved." in folded
