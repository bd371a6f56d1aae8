"""Neuroglancer's precomputed volumes: from `info` to a plan, the chunk reader, shard indexes, counting.

The formats themselves (what bytes mean) are in `formats/precomputed`; here they are read from a store.
"""
