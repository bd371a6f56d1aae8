"""Neuroglancer's precomputed format: the `info` file, sharding, chunk names and chunk ids.

`label_chunk` is a checked view of a compressed_segmentation chunk. `label_voxels` decodes it and counts its
labels, `label_lookup` reads single voxels, `label_indexes` packs and unpacks indexes.
"""
