"""DVID's data model: the repo, its instances with their data types, and the volumes they come from.

Nothing here knows HTTP, and nothing here decodes a chunk.
"""
