"""Steps from one form of the tables to the next, oldest first; a step that was released is never edited.

Takes: a store of the form before.
Gives: a store of the next form.
Never: imports the tables as they are today: a step must do next year what it does now.
"""

__all__: list[str] = []
