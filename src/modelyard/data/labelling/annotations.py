"""What annotators said: files of labels, kept with their annotator, time and digest."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

from modelyard.core import Clock, DataError, Record, digest_json, system_clock
from modelyard.data.read import read_table
from modelyard.data.schema import category_text
from modelyard.store import Workspace, load_record, save_record

__all__ = ["Annotations", "read_annotations", "stored_annotations"]

_KIND = "labels"
_ID_LENGTH = 12


@dataclasses.dataclass(frozen=True)
class Annotations(Record):
    """One file of labels by one person.

    Parameters
    ----------
    id
        The first digits of ``digest``.
    digest
        SHA-256 of annotator and labels: the same file of the same person is the same record.
    annotator
        Who labelled.
    at
        When it was read in.
    labels
        Row to label.
    """

    id: str
    digest: str
    annotator: str
    at: dt.datetime
    labels: Mapping[str, str]


def read_annotations(
    source: Path | str,
    annotator: str,
    workspace: Workspace,
    *,
    known: Callable[[str], bool],
    clock: Clock = system_clock,
) -> Annotations:
    """Read a file with the columns ``row`` and ``label`` and keep it; rows without a label are left out.

    Parameters
    ----------
    known
        Whether a row of that name was ever handed out.

    Raises
    ------
    DataError
        If the annotator has no name, a column is absent, no row has a label, or a row has two or is unknown.
    """
    table = read_table(source)
    if not annotator.strip():
        raise DataError("labels need the name of who gave them", where=str(source), cure="Name them with --annotator")
    missing = [name for name in ("row", "label") if name not in table.columns]
    if missing:
        raise DataError(
            "a file of labels has the columns row and label",
            where=str(source),
            got=", ".join(table.columns[:8]),
            cure="Fill in the column 'label' of what `modelyard label export` wrote",
        )
    given = table.select(category_text(table["row"]), category_text(table["label"]).str.strip_chars())
    given = given.filter(given["label"].is_not_null() & (given["label"] != "")).unique(maintain_order=True)
    if given.height == 0 or given["row"].is_duplicated().any():
        raise DataError(
            "no row has a label" if given.height == 0 else "a row has two labels of one annotator",
            where=str(source),
            got=f"{table.height:,} rows",
            cure="Fill in one label for each row that was looked at",
        )
    strangers = [row for row in given["row"] if row is None or not known(row)]
    if strangers:
        raise DataError(
            "a file of labels names rows that were never exported",
            where=str(source),
            got=repr(strangers[0]),
            cure="Leave the column 'row' as `modelyard label export` wrote it",
        )
    labels = dict(zip(given["row"].to_list(), given["label"].to_list(), strict=True))
    digest = digest_json({"annotator": annotator.strip(), "labels": labels})
    record = Annotations(digest[:_ID_LENGTH], digest, annotator.strip(), clock(), labels)
    folder = workspace.folder(_KIND, record.id)
    if not (folder / "annotations.json").exists():
        save_record(folder, "annotations", record)
    return record


def stored_annotations(workspace: Workspace) -> tuple[Annotations, ...]:
    """All files of labels, the oldest first.

    Raises
    ------
    IntegrityError
        If one is damaged.
    """
    folders = [path.parent for path in workspace.folder(_KIND).glob("*/annotations.json")]
    cure = "Restore it from a backup, or delete its folder and import the labels again"
    records = [load_record(Annotations, folder, "annotations", cure=cure) for folder in folders]
    return tuple(sorted(records, key=lambda record: (record.at, record.id)))
