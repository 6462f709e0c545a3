"""Things as data sets of OpenLineage, each with what its record knows of it."""

import functools
from collections.abc import Iterator
from typing import Any

from modelyard.data import Schema
from modelyard.oversight.lineage.books import Books
from modelyard.oversight.lineage.openlineage.facets import Facets, facet, our_facet, owners
from modelyard.oversight.lineage.openlineage.places import Place, place_of, uri_of
from modelyard.oversight.lineage.openlineage.quality import column_metrics
from modelyard.oversight.lineage.steps import Kind, Thing
from modelyard.packaging import Manifest, Package

__all__ = ["Datasets"]

_TYPES = {
    Kind.RUN: "MODEL",
    Kind.PACKAGE: "MODEL",
    Kind.VERSION: "MODEL",
    Kind.ENDPOINT: "MODEL",
    Kind.PREDICTIONS: "STREAM",
    Kind.EVALUATION: "JOB_OUTPUT",
    Kind.REPORT: "JOB_OUTPUT",
    Kind.SHIPMENT: "FILE",
    Kind.SOURCE: "FILE",
}
_ROWS = {Kind.TRAINING_ROWS: "train_rows", Kind.VALIDATION_ROWS: "validation_rows", Kind.TEST_ROWS: "test_rows"}


class Datasets:
    """Gives each thing its name and its facets.

    What has versions has one name and says its version: so a catalogue shows one ``data``, one ``package`` and one
    ``model`` with their histories, and not hundreds of each.

    Parameters
    ----------
    books
        The records.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._problem = books.problem
        self.namespace = f"modelyard://{books.problem.name}"

    def dataset(self, thing: Thing) -> dict[str, Any]:
        """The data set of a thing, with its facets."""
        namespace, name = self.place(thing)
        return {"namespace": namespace, "name": name, "facets": self._facets(thing)}

    def place(self, thing: Thing) -> Place:
        """Namespace and name."""
        if thing.kind.is_outside:
            return place_of(thing.id, self._books.workspace.root)
        return self.namespace, thing.kind.value

    def ownership(self, kind: str) -> Facets:
        """The owner and the team of the project file."""
        problem = self._problem
        return owners(
            kind,
            ((problem.owner and f"user:{problem.owner}", "OWNER"), (problem.team and f"team:{problem.team}", "TEAM")),
        )

    @functools.cache  # noqa: B019 - lives as long as one export
    def _facets(self, thing: Thing) -> Facets:
        type_ = facet("datasetType", {"datasetType": _TYPES.get(thing.kind, "TABLE")})
        if thing.kind is Kind.SOURCE:
            source = {"name": thing.id, "uri": uri_of(thing.id, self._books.workspace.root)}
            return {**type_, **facet("dataSource", source), **self._delivered()}
        if thing.kind.is_outside:
            return {**type_, **self.ownership("Dataset")}
        version = facet("version", {"datasetVersion": self._version_of(thing)})
        return {**type_, **version, **self.ownership("Dataset"), **self._own(thing)}

    def _delivered(self) -> Facets:
        """Who answers for a source: those whom the project file declares upstream, else the owner."""
        declared = [(f"user:{item.owner}", item.name) for item in self._problem.dependencies.upstream if item.owner]
        return owners("Dataset", declared) or self.ownership("Dataset")

    def _version_of(self, thing: Thing) -> str:
        """The digest of data, the id of everything else."""
        record = self._books.data.get(thing.id) if thing.kind is Kind.DATA else None
        return record.digest if record else thing.id

    def _own(self, thing: Thing) -> Facets:
        """What the kind's record knows."""
        if thing.kind is Kind.DATA:
            return self._of_data(thing.id)
        if thing.kind in _ROWS:
            return self._of_rows(thing)
        if thing.kind is Kind.PACKAGE:
            return self._of_package(thing.id)
        if thing.kind is Kind.VERSION:
            return self._of_version(thing.id)
        return {}

    def _of_data(self, id_: str) -> Facets:
        record = self._books.data.get(id_)
        if record is None:
            return {}
        metrics = {
            "rowCount": record.rows,
            "bytes": record.bytes,
            "lastUpdated": record.created_at.isoformat(),
            "columnMetrics": {},  # the sealed test part is among the rows
        }
        source = facet("dataSource", {"name": record.source, "uri": uri_of(record.source, self._books.workspace.root)})
        return {**_schema(record.columns), **source, **facet("dataQualityMetrics", metrics)}

    def _of_rows(self, thing: Thing) -> Facets:
        """A part of a split: each column is the one of the data version that has its name."""
        facts = self._books.split(thing.id)
        if facts is None:
            return {}
        namespace, name = self.place(Thing(Kind.DATA, facts.record.dataset_id))
        fields = {
            column.name: {"inputFields": [_field(namespace, name, column.name, "IDENTITY")]}
            for column in facts.schema.columns
        }
        is_train = thing.kind is Kind.TRAINING_ROWS
        columns = column_metrics(facts, self._problem.log.personal) if is_train else {}
        metrics = {"rowCount": getattr(facts.record, _ROWS[thing.kind]), "columnMetrics": columns}
        return {
            **_schema(facts.schema),
            **facet("columnLineage", {"fields": fields}),
            **facet("dataQualityMetrics", metrics),
        }

    def _of_package(self, digest: str) -> Facets:
        """Each feature of the model comes from a column of the training rows."""
        package = self._books.packages.get(digest)
        return {**self._model(package.manifest), **self._features(package)} if package else {}

    def _of_version(self, subject: str) -> Facets:
        version = next((item for item in self._books.versions if item.subject == subject), None)
        manifest = self._books.manifest(version.digest) if version else None
        return self._model(manifest) if manifest else {}

    def _model(self, manifest: Manifest) -> Facets:
        told = {
            "model": manifest.name,
            "version": manifest.version,
            "digest": manifest.digest,
            "protocol": manifest.protocol,
            "dataset": manifest.dataset_id,
            "split": manifest.split_id,
            "run": manifest.run_id,
            "codeCommit": manifest.code_commit,
            "author": manifest.author,
            "builtAt": manifest.created_at.isoformat(),
            "requirements": dict(manifest.requirements),
        }
        return our_facet("ModelVersionDatasetFacet", told)

    def _features(self, package: Package) -> Facets:
        fields = dict(self._fields(package.read_json("card.json")["data"]["features"]))
        schema = {"fields": [{"name": name, "type": "feature"} for name in fields]}
        return {**facet("schema", schema), **facet("columnLineage", {"fields": fields})}

    def _fields(self, catalogue: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        namespace, name = self.place(Thing(Kind.TRAINING_ROWS, ""))
        for entry in catalogue:
            for feature in entry["features"]:
                made = _field(namespace, name, entry["column"], "TRANSFORMATION", entry["transformation"])
                yield feature, {"inputFields": [made]}


def _schema(schema: Schema) -> Facets:
    fields = [
        {"name": column.name, "type": column.dtype, "description": column.kind.value, "ordinal_position": place}
        for place, column in enumerate(schema.columns, start=1)
    ]
    return facet("schema", {"fields": fields})


def _field(namespace: str, name: str, column: str, subtype: str, how: str = "") -> dict[str, Any]:
    made = {"type": "DIRECT", "subtype": subtype, **({"description": how} if how else {})}
    return {"namespace": namespace, "name": name, "field": column, "transformations": [made]}
