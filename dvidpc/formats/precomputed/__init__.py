"""Neuroglancer's precomputed format: the `info` file, sharding, names and ids of chunks."""
