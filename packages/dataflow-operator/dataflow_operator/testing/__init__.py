"""For tests: a real link store, filled by real runs between two registers in memory, and the command beside it."""
