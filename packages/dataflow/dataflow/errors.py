"""What can be wrong, each said in one line: where, what, and what to do.

DataflowError
├── TableError    a property table is wrong; nothing has run yet
├── ConfigError   the mapper's settings are wrong
└── StreamError   the tap's SCHEMA does not fit the tables
"""

from __future__ import annotations


class DataflowError(Exception):
    """Something that a person has to put right; its text is one line without any record's values."""


class TableError(DataflowError):
    """A property table is wrong."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class ConfigError(DataflowError):
    """The mapper's settings are wrong."""


class StreamError(DataflowError):
    """What the tap says it sends does not fit the tables."""
