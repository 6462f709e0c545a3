"""Run events: each step begins with one, and ends with one unless it goes on."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.oversight.lineage.books import Books
from modelyard.oversight.lineage.openlineage.datasets import Datasets
from modelyard.oversight.lineage.openlineage.facets import PRODUCER, Facets, facet, our_facet
from modelyard.oversight.lineage.openlineage.repository import source_code
from modelyard.oversight.lineage.steps import Kind, Step
from modelyard.version import __version__

__all__ = ["PRODUCER", "run_events"]

Event = dict[str, Any]

_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_GOES_ON = frozenset({"serve"})
"""Jobs that end when somebody ends them, which nobody writes down."""


def run_events(books: Books, steps: Sequence[Step]) -> Iterator[Event]:
    """START, then COMPLETE or FAIL, of every step, in the order of time.

    Ids follow from the records, so that who receives an event twice has one run. What no record tells is left out: a step of which
    one moment is known begins and ends then.
    """
    maker = _Maker(books, {step.id: step for step in steps})
    found: list[tuple[dt.datetime, int, Event]] = []
    for place, step in enumerate(steps):
        found.append((step.begun, 2 * place, maker.event(step, "START", step.begun)))
        if step.ended is not None:
            end = "FAIL" if step.failed else "COMPLETE"
            found.append((step.ended, 2 * place + 1, maker.event(step, end, step.ended)))
    for _, _, event in sorted(found, key=lambda item: item[:2]):
        yield event


class _Maker:
    """Makes events of steps."""

    def __init__(self, books: Books, steps: Mapping[str, Step]) -> None:
        self._books = books
        self._datasets = Datasets(books)
        self._steps = steps

    def event(self, step: Step, kind: str, at: dt.datetime) -> Event:
        outputs = step.outputs if kind == "COMPLETE" or step.ended is None else ()
        return {
            "eventType": kind,
            "eventTime": at.isoformat(),
            "producer": PRODUCER,
            "schemaURL": _SCHEMA,
            "run": {"runId": step.id, "facets": self._run(step, kind)},
            "job": {**self._job(step.job), "facets": self._job_facets(step)},
            "inputs": [self._datasets.dataset(thing) for thing in step.inputs],
            "outputs": [self._datasets.dataset(thing) for thing in outputs],
        }

    def _job(self, job: str) -> dict[str, Any]:
        return {"namespace": self._datasets.namespace, "name": job}

    def _run(self, step: Step, kind: str) -> Facets:
        facets = facet("processing_engine", {"name": "modelyard", "version": __version__})
        if step.row:
            told = {"sequence": step.row, "hash": step.row_hash, "actor": step.actor, "note": step.note}
            facets |= our_facet("LedgerRowRunFacet", told)
        if kind == "FAIL":
            facets |= facet("errorMessage", {"message": step.failed, "programmingLanguage": "Python"})
        parent = self._steps.get(step.parent)
        if parent is not None:
            facets |= facet("parent", {"run": {"runId": parent.id}, "job": self._job(parent.job)})
        return facets

    def _job_facets(self, step: Step) -> Facets:
        how = "SERVICE" if step.job in _GOES_ON else "BATCH"
        type_ = {"processingType": how, "integration": "MODELYARD", "jobType": step.job.upper()}
        return {**facet("jobType", type_), **self._datasets.ownership("Job"), **self._code(step)}

    def _code(self, step: Step) -> Facets:
        """The commit of the project, where the package that came out names it."""
        for thing in step.outputs:
            manifest = self._books.manifest(thing.id) if thing.kind is Kind.PACKAGE else None
            if manifest is not None and manifest.code_commit:
                return facet("sourceCodeLocation", source_code(self._books.workspace.root, manifest.code_commit))
        return {}
