"""Views of what is agreed and decided about rows: the contract, a table held against it, corrections."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, hint, plain_table, stack
from modelyard.data import ColumnContract, ColumnKind, Contract, ContractCheck, Correction

__all__ = ["show_contract", "show_contract_check", "show_correction", "show_corrections"]

_LONGEST_EXAMPLE = 40


def show_contract(contract: Contract) -> RenderableType:
    """One line a column: what is expected, and whether it was learnt or declared."""
    table = plain_table(
        ("column", "kind", "expected", "missing", "field", "from"),
        (
            (
                column.name,
                str(column.kind),
                _expected(column),
                _missing(column),
                "required" if column.must_be_there else "may be absent",
                _origin(column),
            )
            for column in contract.columns
        ),
    )
    return stack(
        headline(f"The contract of {counted(len(contract.columns), 'column')}."),
        table,
        Text(
            "Learnt: what leaves it is scored and flagged. Declared: what breaks it is rejected. A wrong type always is.",
            style="dim",
        ),
        hint("Declare under data.ranges and data.contract; hold a table against it: modelyard contract FILE"),
    )


def show_contract_check(report: ContractCheck) -> RenderableType:
    """How many rows keep the contract, and what the others break."""
    table = plain_table(
        ("", "column", "rule", "rows", "such as", "expected"),
        (
            (
                "rejects" if count.rejects else "flags",
                count.column,
                count.rule,
                f"{count.rows:,}",
                count.example[:_LONGEST_EXAMPLE],
                count.expected,
            )
            for count in report.found
        ),
        numeric=(3,),
    )
    said = "holds" if report.holds else "is broken"
    note = f"{counted(report.rows, 'row')}: {report.rejected:,} would be set aside, {report.flagged:,} flagged"
    return stack(
        headline(f"The contract {said}.", note),
        table if report.found else Text("Nothing was found.", style="green"),
    )


def show_correction(correction: Correction, *, undone: bool) -> RenderableType:
    """What a correction decides, and how to take it back."""
    word = "is undone" if undone else "is in force"
    return stack(
        headline(f"Correction {correction.id} {word}.", correction.summary),
        facts((("why", correction.reason), ("by", correction.by), ("on", f"{correction.at:%Y-%m-%d %H:%M}"))),
        Text("The sealed rows are not touched; a line about one of them has no effect.", style="dim"),
        hint("modelyard audit, then train" if undone else "modelyard audit, then train; back: --undo ID --reason WHY"),
    )


def show_corrections(corrections: Sequence[Correction]) -> RenderableType:
    """All corrections in force, in the order in which they apply."""
    table = plain_table(
        ("correction", "on", "by", "what was decided", "why"),
        ((one.id, f"{one.at:%Y-%m-%d %H:%M}", one.by, one.summary, one.reason) for one in corrections),
    )
    return stack(
        headline(f"{counted(len(corrections), 'correction')} in force."),
        table
        if corrections
        else hint("Fill label_suspects.csv or outliers.csv of the audit, then: modelyard correct FILE"),
    )


def _expected(column: ColumnContract) -> str:
    return column.in_words if column.kind is not ColumnKind.IDENTIFIER else "anything"


def _missing(column: ColumnContract) -> str:
    return "allowed" if column.nullable else "rejects" if column.refuses_null else "flags"


def _origin(column: ColumnContract) -> str:
    return f"declared: {', '.join(column.declared)} ({column.reason})" if column.declared else "learnt"
