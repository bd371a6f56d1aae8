"""Blocks of one scale: the grid store, cut-outs, oblique planes, prefetch.

Works on any `ChunkSource`: nothing here knows how a source stores its chunks, and nothing here knows DVID.
"""
