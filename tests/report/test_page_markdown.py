from modelyard.core import Finding, Severity
from modelyard.report import Fact, Facts, Findings, Page, Prose, Section, Table, bar_chart, render_markdown


def _one(*blocks: Prose | Facts | Table | Findings) -> str:
    return render_markdown(Page("T", "", (Section("S", blocks),))).split("## S\n\n")[1]


def test_hostile_text_stays_text(hostile_page: Page) -> None:
    """No tag survives, so a renderer that allows HTML shows the text too."""
    markdown = render_markdown(hostile_page)
    outside_code = "".join(markdown.split("`")[::2])

    assert "<script" not in outside_code
    assert "<img" not in outside_code


def test_a_whole_page() -> None:
    """Title, subtitle, lead, blocks and footer come in order, as GitHub's Markdown."""
    finding = Finding("leak", Severity.ERROR, "duration", "`duration` leaks.", "Why.", "Drop it.", {"auc": 0.94})
    blocks = (
        Prose("**a** and `b`"),
        Facts((Fact("AUC", "0.84", "test"),)),
        Table(("name", "n"), (("x|y", "1"),), "Rows", (1,)),
        Findings((finding,)),
        bar_chart(["a"], [1], title="Bars").with_caption("Read it."),
    )
    markdown = render_markdown(Page("T*", "sub", (Section("S", blocks, "Lead."),), "foot"))

    assert markdown == (
        "# T\\*\n\nsub\n\n## S\n\nLead.\n\n**a** and `b`\n\n- **AUC:** 0.84 (test)\n\n"
        "Rows\n\n| name | n |\n| --- | ---: |\n| x\\|y | 1 |\n\n"
        "1 error\n\n- **Error** `duration`: `duration` leaks.\n  Why.\n  Drop it.\n  *auc 0.9400*\n\n"
        "> **Figure: Bars.** a 1 Read it.\n\n---\n\nfoot\n"
    )


def test_a_line_break_in_a_cell_does_not_break_the_table() -> None:
    """Cells stay on one line."""
    assert "| a b |" in _one(Table(("x",), (("a\nb",),)))


def test_a_leading_hash_is_no_heading() -> None:
    """Text that begins like a heading or a list is shown as text."""
    assert _one(Prose("# not a heading")).startswith("\\# not")


def test_many_that_say_the_same_share_their_advice() -> None:
    """It is said once, above the messages of each."""
    alike = tuple(Finding("drift", Severity.WARNING, name, f"`{name}` moved.", "Odd.", "Look.") for name in "abc")

    assert _one(Findings(alike)) == (
        "3 warnings\n\n- **Warning** drift, 3 times:\n  Odd.\n  Look.\n  - `a` moved.\n  - `b` moved.\n  - `c` moved.\n"
    )
