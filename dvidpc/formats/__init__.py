"""What stored and served bytes mean: pure functions of bytes.

`precomputed/` reads Neuroglancer's format, `dvid/` writes what DVID's clients read, `codec/` decodes chunks.
The modules beside them serve every format: the grid, slabs, assembly of blocks, images, oblique planes.
Nothing here does I/O, logs, waits or reads a clock.
"""
