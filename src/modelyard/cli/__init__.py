"""The command line: parse, call one verb of ``Project``, show.

Takes: arguments.
Gives: a picture in the terminal or a record as JSON on standard output, and a named exit code.
Never: holds a rule, or loads a room before its command runs.
"""

__all__: list[str] = []
