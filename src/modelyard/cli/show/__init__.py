"""How records look in the terminal: one file a group of commands, each function from a record to a renderable."""

__all__: list[str] = []
