"""Views of what people see to: gates, inventory, changes, lineage, impact, records."""

__all__: list[str] = []
