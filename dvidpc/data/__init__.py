"""DVID's data model: the repo, its instances, data types and properties; the volumes they come from.

Nothing here knows HTTP, and nothing here decodes a chunk.
"""
