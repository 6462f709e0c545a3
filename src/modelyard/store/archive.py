"""Records on disk: each as JSON, with the page that shows it beside it."""

import json
from pathlib import Path
from typing import TypeVar

from modelyard.core import IntegrityError, Record, StateError, write_atomic, write_json_atomic

__all__ = ["load_record", "save_record"]

R = TypeVar("R", bound=Record)


def save_record(folder: Path, name: str, record: Record, html: str | None = None) -> Path:
    """Write ``<name>.json`` and, if given, ``<name>.html``; returns the page if there is one, else the record.

    The page is written first: a record that is there has its page.
    """
    path, page = folder / f"{name}.json", folder / f"{name}.html"
    if html is not None:
        write_atomic(page, html)
    write_json_atomic(path, record.to_dict())
    return path if html is None else page


def load_record(kind: type[R], folder: Path, name: str, *, cure: str) -> R:
    """Read back what :func:`save_record` wrote.

    Raises
    ------
    StateError
        If it was never written; ``cure`` says which command writes it.
    IntegrityError
        If the file is not what was written.
    """
    path = folder / f"{name}.json"
    try:
        return kind.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StateError(f"there is no {name} yet", where=str(folder), cure=cure) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise IntegrityError("the record is damaged", where=str(path), got=str(error), cure=cure) from error
