"""Facets of OpenLineage: the published ones by their published addresses, ours by names with our prefix."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.version import __version__

__all__ = ["OURS", "PRODUCER", "Facet", "Facets", "facet", "our_facet", "owners"]

Facet = dict[str, Any]
Facets = dict[str, Facet]

PRODUCER = f"urn:modelyard:{__version__}"
"""Who says it, as a URI: the version of this software."""

OURS = "urn:modelyard:openlineage:1-0-0"
"""Begin of our schemas' names; the schemas are the files in ``schemas`` beside this one."""

_PUBLISHED = {
    "columnLineage": ("1-2-0", "ColumnLineageDatasetFacet"),
    "dataQualityMetrics": ("1-0-0", "DataQualityMetricsDatasetFacet"),
    "dataSource": ("1-0-1", "DatasourceDatasetFacet"),
    "datasetType": ("1-0-1", "DatasetTypeDatasetFacet"),
    "errorMessage": ("1-0-1", "ErrorMessageRunFacet"),
    "jobType": ("2-0-4", "JobTypeJobFacet"),
    "parent": ("1-2-0", "ParentRunFacet"),
    "processing_engine": ("1-1-1", "ProcessingEngineRunFacet"),
    "schema": ("1-2-0", "SchemaDatasetFacet"),
    "sourceCodeLocation": ("1-1-0", "SourceCodeLocationJobFacet"),
    "version": ("1-0-1", "DatasetVersionDatasetFacet"),
}
"""Facet to the version and name of its schema in the specification 2-0-2."""


def facet(key: str, content: Mapping[str, Any]) -> Facets:
    """One published facet under its key."""
    version, name = _PUBLISHED[key]
    return _made(key, f"https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}", content)


def our_facet(name: str, content: Mapping[str, Any]) -> Facets:
    """One of our own, such as ``ModelVersionDatasetFacet``, under its key with our prefix."""
    stem = name.removesuffix("Facet").removesuffix("Dataset").removesuffix("Run")
    return _made(f"modelyard_{stem[0].lower()}{stem[1:]}", f"{OURS}:{name}", content)


def owners(kind: str, names: Sequence[tuple[str, str]]) -> Facets:
    """Who answers for a ``Dataset`` or a ``Job``: pairs of name and type; nothing if nobody does."""
    told = [{"name": name, "type": type_} for name, type_ in names if name]
    name = f"Ownership{kind}Facet"
    where = f"https://openlineage.io/spec/facets/1-0-1/{name}.json#/$defs/{name}"
    return _made("ownership", where, {"owners": told}) if told else {}


def _made(key: str, schema: str, content: Mapping[str, Any]) -> Facets:
    return {key: {"_producer": PRODUCER, "_schemaURL": schema, **content}}
