"""Delimited text: its delimiter, quotes and ways of writing numbers found, its faults named by line."""

import csv
import dataclasses
import io
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import polars as pl

from modelyard.core import DataError
from modelyard.data.readers.encoding import as_utf8, decode
from modelyard.data.readers.numerals import with_plain_numerals
from modelyard.data.readers.protocol import Certainty, FileReader, Raw, Source
from modelyard.data.table import Table, spool

__all__ = ["DelimitedReader"]

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 65_536
_DELIMITER_NAMES = {"\t": "a tab"}
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
_LARGE_BYTES = 64_000_000


class DelimitedReader(FileReader):
    """Reads cells between delimiters; notes encoding, delimiter, quotes, decimal commas and thousands."""

    name = "delimited"
    reads = "delimited text: .csv, .tsv, .txt, .data"
    suffixes = frozenset((".csv", ".tsv", ".txt", ".data"))

    def recognises(self, source: Source) -> Certainty:
        """By the ending; else any file that nobody else takes."""
        if source.scheme or (source.path is not None and source.path.is_dir()):
            return Certainty.NO
        return Certainty.NAME if source.suffix in self.suffixes else Certainty.FALLBACK

    def read(self, source: Source) -> Raw:
        """A table of text cells; empty cells are null. Those of a large file wait in the source's scratch folder.

        Raises
        ------
        DataError
            If there is no header, a name occurs twice, or a row has another number of cells than the header.
        """
        where = source.location
        text = _text(source)
        if not text.sample.strip():
            raise DataError(
                "the file is empty", where=where, cure="Export the table again, with a header line and rows"
            )
        form = _form(text)
        header = _header(text, form, where)
        notes = [] if text.encoding == "utf-8" else [f"read as {text.encoding}, since it is not UTF-8"]
        if form.delimiter != ",":
            notes.append(f"cells are separated by {_DELIMITER_NAMES.get(form.delimiter, repr(form.delimiter))}")
        if form.quote != '"':
            notes.append(f"cells are quoted with {form.quote}")
        table, more = with_plain_numerals(_parse(text, form, header, where), delimiter=form.delimiter)
        return Raw(table, (*notes, *more))


@dataclasses.dataclass(frozen=True)
class _Text:
    """Text in memory, or in a file that is too large for that.

    Parameters
    ----------
    content
        The bytes in UTF-8, or the path of a file of them.
    encoding
        What they were in.
    sample
        The first characters.
    folder
        Where the cells of a large file wait; None for text in memory.
    """

    content: bytes | Path
    encoding: str
    sample: str
    folder: Path | None = None

    @property
    def is_whole(self) -> bool:
        """True if the sample is all there is."""
        return len(self.sample) < _SAMPLE_CHARACTERS

    def open(self) -> TextIO:
        """The text from its beginning."""
        if isinstance(self.content, Path):
            return self.content.open(encoding="utf-8-sig", newline="")
        return io.TextIOWrapper(io.BytesIO(self.content), encoding="utf-8", newline="")


def _text(source: Source) -> _Text:
    path, scratch = source.path, source.scratch
    if path is None or scratch is None or path.stat().st_size <= _LARGE_BYTES:
        text, encoding = decode(source.bytes(), source.location)
        return _Text(text.encode("utf-8"), encoding, text[:_SAMPLE_CHARACTERS])
    folder = scratch / f"cells-{secrets.token_hex(4)}"
    written, encoding = as_utf8(path, folder, source.location)
    with written.open(encoding="utf-8-sig", newline="") as stream:
        return _Text(written, encoding, stream.read(_SAMPLE_CHARACTERS), folder)


@dataclasses.dataclass(frozen=True)
class _Form:
    """How the cells are set apart."""

    delimiter: str
    quote: str


def _rows(text: TextIO, form: _Form) -> Iterator[tuple[int, list[str]]]:
    """The lines with their numbers (from 1), blank ones left out."""
    reader = csv.reader(text, delimiter=form.delimiter, quotechar=form.quote)
    line = 1
    for row in reader:
        if row:
            yield line, row
        line = reader.line_num + 1


def _form(text: _Text) -> _Form:
    """Single quotes if they enclose cells on half of the first lines and no double quote is there; then the delimiter.

    The delimiter is the candidate that splits the first lines into the most cells of equal number; a comma if none does.
    """
    sample = text.sample
    complete = sample if text.is_whole else sample[: sample.rfind("\n") + 1] or sample
    single = '"' not in complete and 2 * len(_SINGLE_QUOTED.findall(complete)) >= max(2, complete.count("\n"))
    quote = "'" if single else '"'
    best, best_score = _Form(",", quote), (0.0, 0)
    for delimiter in _DELIMITERS:
        form = _Form(delimiter, quote)
        try:
            widths = Counter(len(row) for _, row in _rows(io.StringIO(complete, newline=""), form))
        except csv.Error:
            continue
        if not widths:
            continue
        width, lines = widths.most_common(1)[0]
        score = (lines / widths.total() if width > 1 else 0.0, width)
        if score > best_score and width > 1:
            best, best_score = form, score
    return best


def _header(text: _Text, form: _Form, where: str) -> list[str]:
    with text.open() as stream:
        written = [name.strip() for name in next(_rows(stream, form))[1]]
    names = [name or f"column_{place}" for place, name in enumerate(written, start=1)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise DataError(
            "column names occur more than once",
            where=where,
            got=", ".join(repr(name) for name in twice),
            cure="Give every column a name of its own",
        )
    return names


def _parse(text: _Text, form: _Form, header: list[str], where: str) -> Table:
    """All cells as text; on any doubt about the rows' widths the slow reader finds the line."""
    try:
        table = _cells_of(text, form)
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(text, form, header, where)
        raise DataError(
            "the file could not be read as delimited text",
            where=where,
            got=str(error).splitlines()[0][:120],
            cure="Check its quotes, or save it again as CSV",
        ) from error
    width = len(table.columns)
    if width != len(header) or (
        width > 1 and table[table.columns[-1]].null_count() and _may_be_ragged(text, form, width)
    ):
        _refuse_ragged(text, form, header, where)
    table = table.renamed(header)
    return Table(table.frame().drop_nulls()) if width == 1 else table


def _cells_of(text: _Text, form: _Form) -> Table:
    """The cells as they are written: in memory, or in a Parquet file beside a large text."""
    cells = pl.scan_csv(
        text.content,
        separator=form.delimiter,
        quote_char=form.quote,
        infer_schema=False,
        truncate_ragged_lines=False,
        glob=False,
    )
    if text.folder is None:
        return Table(cells.collect())
    path = text.folder / "cells.parquet"
    spool(cells, path)
    return Table(pl.scan_parquet(path, glob=False))


def _may_be_ragged(text: _Text, form: _Form, width: int) -> bool:
    """False if no cell is quoted and every line has as many delimiters as the header: then a look at each is needless."""
    lines = pl.scan_csv(
        text.content,
        has_header=False,
        separator="\x01",
        quote_char=None,
        infer_schema=False,
        new_columns=["line"],
        truncate_ragged_lines=True,
        glob=False,
    ).select(pl.col("line").fill_null(""))
    line = pl.col("line")
    odd = (line != "") & (line.str.count_matches(form.delimiter, literal=True) != width - 1)
    return bool(
        lines.select((odd | line.str.contains(form.quote, literal=True)).any()).collect(engine="streaming").item()
    )


def _refuse_ragged(text: _Text, form: _Form, header: list[str], where: str) -> None:
    """Raise for the first line whose number of cells differs from the header's."""
    try:
        with text.open() as stream:
            for line, row in _rows(stream, form):
                if len(row) != len(header):
                    raise DataError(
                        f"line {line} has {_cells(len(row))} where the header has {_cells(len(header))}",
                        where=where,
                        got=form.delimiter.join(row)[:80],
                        cure="Mend that line, or quote cells that contain the delimiter",
                    )
    except csv.Error as error:
        raise DataError(
            "the file could not be read as delimited text",
            where=where,
            got=str(error),
            cure="Check its quotes, or save it again as CSV",
        ) from error


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
