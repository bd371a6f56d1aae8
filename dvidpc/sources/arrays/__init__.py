"""Arrays in chunks, zarr and N5: from their documents to a plan, the chunk reader, shard indexes, counting.

The formats themselves (what bytes mean) are in `formats/arrays`; here they are read from a store.
"""
