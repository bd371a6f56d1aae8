"""Neuroglancer's precomputed format: the `info` file, sharding, chunk names and chunk ids."""
