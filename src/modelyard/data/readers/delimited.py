"""Delimited text: its encoding, delimiter, quotes and ways of writing numbers found, its faults named by line."""

import csv
import dataclasses
import io
import re
from collections import Counter
from collections.abc import Iterator

import polars as pl

from modelyard.core import DataError
from modelyard.data.readers.numerals import with_plain_numerals
from modelyard.data.readers.protocol import Certainty, FileReader, Raw, Source

__all__ = ["DelimitedReader", "decode"]

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 65_536
_DELIMITER_NAMES = {"\t": "a tab"}
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
_CP1252_HOLES = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))


def decode(raw: bytes, where: str) -> tuple[str, str]:
    """Text of ``raw`` and the encoding it was read with.

    UTF-8 first, UTF-16 and UTF-32 by their byte order marks, or by the zero bytes of Latin text; else Windows-1252,
    or Latin-1 where a byte has no meaning in Windows-1252.

    Raises
    ------
    DataError
        If the bytes are no text at all.
    """
    for mark, encoding in ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return _strictly(raw, encoding, where), encoding
    zeros = raw[:4096].count(0)
    if zeros > len(raw[:4096]) // 4:
        encoding = "utf-16-be" if raw[:1] == b"\x00" else "utf-16-le"
        return _strictly(raw, encoding, where), encoding
    if zeros:
        raise _not_text(where)
    try:
        return raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        encoding = "latin-1" if _CP1252_HOLES & set(raw) else "cp1252"
        return raw.decode(encoding), encoding


def _strictly(raw: bytes, encoding: str, where: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _not_text(where) from error


def _not_text(where: str) -> DataError:
    return DataError(
        "the file is not text in a known encoding",
        where=where,
        got="bytes that no text has",
        cure="Save it as UTF-8 CSV, or give it the ending of its real format (.parquet, .jsonl)",
    )


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
        """A table of text cells; empty cells are null.

        Raises
        ------
        DataError
            If there is no header, a name occurs twice, or a row has another number of cells than the header.
        """
        where = source.location
        text, encoding = decode(source.bytes(), where)
        if not text.strip():
            raise DataError(
                "the file is empty", where=where, cure="Export the table again, with a header line and rows"
            )
        form = _form(text)
        header = _header(text, form, where)
        notes = [] if encoding == "utf-8" else [f"read as {encoding}, since it is not UTF-8"]
        if form.delimiter != ",":
            notes.append(f"cells are separated by {_DELIMITER_NAMES.get(form.delimiter, repr(form.delimiter))}")
        if form.quote != '"':
            notes.append(f"cells are quoted with {form.quote}")
        frame, more = with_plain_numerals(_parse(text, form, header, where), delimiter=form.delimiter)
        return Raw(frame, (*notes, *more))


@dataclasses.dataclass(frozen=True)
class _Form:
    """How the cells are set apart."""

    delimiter: str
    quote: str


def _rows(text: str, form: _Form) -> Iterator[tuple[int, list[str]]]:
    """The lines with their numbers (from 1), blank ones left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, quotechar=form.quote)
    line = 1
    for row in reader:
        if row:
            yield line, row
        line = reader.line_num + 1


def _form(text: str) -> _Form:
    """Single quotes if they enclose cells on half of the first lines and no double quote is there; then the delimiter.

    The delimiter is the candidate that splits the first lines into the most cells of equal number; a comma if none does.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    complete = sample if len(text) <= _SAMPLE_CHARACTERS else sample[: sample.rfind("\n") + 1] or sample
    single = '"' not in complete and 2 * len(_SINGLE_QUOTED.findall(complete)) >= max(2, complete.count("\n"))
    quote = "'" if single else '"'
    best, best_score = _Form(",", quote), (0.0, 0)
    for delimiter in _DELIMITERS:
        form = _Form(delimiter, quote)
        try:
            widths = Counter(len(row) for _, row in _rows(complete, form))
        except csv.Error:
            continue
        if not widths:
            continue
        width, lines = widths.most_common(1)[0]
        score = (lines / widths.total() if width > 1 else 0.0, width)
        if score > best_score and width > 1:
            best, best_score = form, score
    return best


def _header(text: str, form: _Form, where: str) -> list[str]:
    written = [name.strip() for name in next(_rows(text, form))[1]]
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


def _parse(text: str, form: _Form, header: list[str], where: str) -> pl.DataFrame:
    """All cells as text; on any doubt about the rows' widths the slow reader finds the line."""
    try:
        frame = pl.read_csv(
            text.encode("utf-8"),
            separator=form.delimiter,
            quote_char=form.quote,
            infer_schema=False,
            truncate_ragged_lines=False,
        )
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(text, form, header, where)
        raise DataError(
            "the file could not be read as delimited text",
            where=where,
            got=str(error).splitlines()[0][:120],
            cure="Check its quotes, or save it again as CSV",
        ) from error
    if frame.width != len(header) or (frame.width > 1 and frame[frame.columns[-1]].null_count()):
        _refuse_ragged(text, form, header, where)
    frame.columns = header
    return frame.filter(~pl.all_horizontal(pl.all().is_null())) if frame.width == 1 else frame


def _refuse_ragged(text: str, form: _Form, header: list[str], where: str) -> None:
    """Raise for the first line whose number of cells differs from the header's."""
    try:
        for line, row in _rows(text, form):
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
