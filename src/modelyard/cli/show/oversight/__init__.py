"""Views of what people see to: gates, inventory, changes, impact, records."""

__all__: list[str] = []
