"""A thing in a few words, as its record knows it."""

from collections.abc import Callable, Mapping

from modelyard.data import openings_of
from modelyard.oversight.lineage.books import Books
from modelyard.oversight.lineage.steps import Kind, Thing

__all__ = ["describe"]

_SHORT = 12


def describe(books: Books, thing: Thing) -> str:
    """What is worth knowing of a thing; ``""`` if nothing is on record here."""
    tell = _TELLERS.get(thing.kind)
    return tell(books, thing.id) if tell else ""


def _data(books: Books, id_: str) -> str:
    record = books.data.get(id_)
    if record is None:
        return "not stored here"
    return f"{record.rows:,} rows, {len(record.columns.columns)} columns, content {record.digest[:_SHORT]}"


def _part(kind: Kind) -> Callable[[Books, str], str]:
    def tell(books: Books, id_: str) -> str:
        facts = books.split(id_)
        if facts is None:
            return "not stored here"
        record = facts.record
        if kind is Kind.TRAINING_ROWS:
            return f"{record.train_rows:,} rows, {record.strategy}"
        if kind is Kind.VALIDATION_ROWS:
            return f"{record.validation_rows:,} rows"
        opened = len(openings_of(books.workspace.ledger, record.test_digest, record.test_content))
        return f"{record.test_rows:,} rows, sealed as {record.test_digest[:_SHORT]}, opened {opened} times"

    return tell


def _run(books: Books, id_: str) -> str:
    record = books.run(id_)
    if record is None:
        return ""
    mean = record.candidate(record.winner).mean
    score = "" if mean is None else f", {record.metric} {mean:.4g} on {record.folds} folds"
    return f"winner {record.winner}{score}"


def _package(books: Books, digest: str) -> str:
    manifest = books.manifest(digest)
    if manifest is None:
        return "does not lie here"
    commit = f"commit {manifest.code_commit[:_SHORT]}" if manifest.code_commit else "no version control"
    return f"{manifest.bytes / 1e6:,.1f} MB, {len(manifest.files)} files, {commit}"


_TELLERS: Mapping[Kind, Callable[[Books, str], str]] = {
    Kind.DATA: _data,
    Kind.TRAINING_ROWS: _part(Kind.TRAINING_ROWS),
    Kind.VALIDATION_ROWS: _part(Kind.VALIDATION_ROWS),
    Kind.TEST_ROWS: _part(Kind.TEST_ROWS),
    Kind.RUN: _run,
    Kind.PACKAGE: _package,
}
