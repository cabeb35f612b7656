"""The dataflow document: what is synchronised with what, made of the property tables.

``content.documents`` (tables to structs) ─> ``rst``, ``markdown``, ``html`` (structs to text) ─> ``command``

All but the last are pure.
"""
