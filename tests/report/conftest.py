"""A page with every kind of block, and text that tries to break out of it."""

import pytest

from modelyard.core import Finding, Severity
from modelyard.report import (
    Block,
    Details,
    Fact,
    Facts,
    Figure,
    Findings,
    HeatCell,
    Page,
    Prose,
    Section,
    Series,
    Table,
    bar_chart,
    dumbbell_chart,
    heat_chart,
    histogram_chart,
    interval_chart,
    line_chart,
    matrix_chart,
    scatter_chart,
)

HOSTILE = "</title></style><script>alert('x')</script><img src=http://evil.example onerror=alert(1)>\"'&\x00"


def every_chart(text: str) -> tuple[Figure, ...]:
    """One chart of each kind, with ``text`` in every place that takes words."""
    return (
        line_chart(
            [Series(text, [0, 1], [0.1, 0.2]), Series("other", [0, 1], [0.9, 0.8], [0.8, 0.7], [1.0, 0.9])],
            title=text,
            x_label=text,
            y_label=text,
            x_names=[text, text],
            reference=0.5,
        ),
        bar_chart([text, "b"], [0.3, -0.1], title=text, low=[0.2, -0.2], high=[0.4, 0.0], x_label=text),
        interval_chart([text], [0.8], [0.7], [0.9], title=text, reference=0.75, x_label=text, highlight=0),
        matrix_chart([text, "b"], [text, "b"], [[5, 1], [2, 7]], title=text, row_title=text, column_title=text),
        scatter_chart([1, 2], [3, 4], title=text, x_label=text, y_label=text, zero_line=True),
        dumbbell_chart([text], [1], [2], title=text, names=(text, text), x_label=text),
        heat_chart([text], [text], [[HeatCell(2, text)]], title=text, levels=(text, text, text, text)),
        histogram_chart([0, 1, 2], {text: [3, 4], "b": [1, 1]}, title=text, x_label=text, y_label=text),
    )


def every_block(text: str) -> Page:
    """A page with each kind of block, and ``text`` in every place that takes words."""
    finding = Finding("an-id", Severity.WARNING, text, text, text, text, {text: text}, text)
    blocks: tuple[Block, ...] = (
        Prose(f"{text} **{text}** `{text}`\n\n- {text}"),
        Facts((Fact(text, text, text),)),
        Table((text, "n"), ((text, "-1.5"),), text, (1,)),
        Findings((finding,)),
        Details(text, (Prose(text),)),
        *every_chart(text),
    )
    return Page(text, text, (Section(text, blocks, text), Section(text, (Findings(()),))), text)


@pytest.fixture
def hostile_page() -> Page:
    """Every block, filled with text that tries to break out."""
    return every_block(HOSTILE)


@pytest.fixture
def plain_page() -> Page:
    """Every block, filled with harmless text."""
    return every_block("churn")
