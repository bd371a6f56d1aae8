"""What stored and served bytes mean: pure functions of bytes, no I/O, no clock, no logging.

`precomputed/` reads Neuroglancer's format, `dvid/` writes DVID's, `codec/` decodes chunks.
"""
