"""The JSON Schema of a model card, derived from its record."""

from typing import Any

from modelyard.packaging.card.record import CARD_PROTOCOL, ModelCard

__all__ = ["card_schema"]


def card_schema() -> dict[str, Any]:
    """What ``card.json`` holds, as JSON Schema 2020-12; the Markdown and the HTML show the same record."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(ModelCard).json_schema()
    for definition in (schema, *schema["$defs"].values()):
        if "description" in definition:
            definition["description"] = definition["description"].partition("\n")[0]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:modelyard:card:{CARD_PROTOCOL}",
        **schema,
    }
