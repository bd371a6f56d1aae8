"""Blocks of one scale: the grid store, cut-outs, oblique planes, prefetch.

It works on any `ChunkSource`: nothing here knows how chunks are stored, and nothing here knows DVID.
"""
