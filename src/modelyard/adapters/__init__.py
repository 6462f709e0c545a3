"""Vendors behind the protocols of the rooms.

Takes: what a room hands to one of its protocols: a tracker, an executor, a sink.
Gives: the same to somebody else's service.
Never: is imported by a room; a vendor's package is imported inside functions, when it is used.
"""

__all__ = ()
