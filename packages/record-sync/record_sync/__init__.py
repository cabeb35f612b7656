"""Keeping the records of two systems in sync: links, change detection, merge, matching, pending writes."""
