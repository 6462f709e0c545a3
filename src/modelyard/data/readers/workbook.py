"""Workbooks: Excel and OpenDocument, one sheet of them."""

from typing import TYPE_CHECKING, Any

import polars as pl

from modelyard.core import DataError, MissingExtraError
from modelyard.data.readers.protocol import FileReader, Raw, Source
from modelyard.problem import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WorkbookReader"]


class WorkbookReader(FileReader):
    """Reads one sheet: the one that is named, else the first that has rows; notes which, and which it left."""

    name = "workbook"
    reads = "workbooks: .xlsx, .xls, .xlsb, .ods"
    suffixes = frozenset((".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"))
    marks = (b"\xd0\xcf\x11\xe0",)

    def read(self, source: Source) -> Raw:
        """The rows of one sheet; its first filled row is the header.

        Raises
        ------
        DataError
            If the workbook is damaged or has no such sheet, or if a name occurs twice in the header.
        MissingExtraError
            If ``fastexcel`` is not installed.
        """
        try:
            import fastexcel
        except ImportError as error:
            raise MissingExtraError("fastexcel", extra="excel", needed_for="reading a workbook") from error
        try:
            book = fastexcel.read_excel(source.bytes())
            sheet = _chosen(book, source)
            _refuse_names_twice(book, sheet, source)
            frame = pl.DataFrame(book.load_sheet(sheet).to_polars())
        except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
            raise DataError(
                "the workbook cannot be read",
                where=source.location,
                got=str(error).splitlines()[0][:120],
                cure="Open and save it again, or export the sheet as CSV",
            ) from error
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null())) if frame.width else frame
        others = [name for name in book.sheet_names if name != sheet]
        note = f"read from the sheet {sheet!r}"
        return Raw(frame, (f"{note}; left out: {', '.join(map(repr, others))}" if others else note,))


def _chosen(book: Any, source: Source) -> str:
    names: Sequence[str] = book.sheet_names
    if source.sheet is not None:
        if source.sheet not in names:
            raise DataError(
                "the workbook has no such sheet",
                where=source.location,
                got=repr(source.sheet),
                cure=did_you_mean(source.sheet, names),
            )
        return source.sheet
    filled = (name for name in names if book.load_sheet(name, n_rows=1).height)
    return next(filled, names[0])


def _refuse_names_twice(book: Any, sheet: str, source: Source) -> None:
    """The library renames the second of two equal names; here it is refused, as in every other format."""
    first = book.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string")
    written = [value for value in first.to_polars().row(0) if value] if first.height else []
    twice = sorted({name for name in written if written.count(name) > 1})
    if twice:
        raise DataError(
            "column names occur more than once",
            where=f"{source.location}, sheet {sheet!r}",
            got=", ".join(map(repr, twice)),
            cure="Give every column a name of its own",
        )
