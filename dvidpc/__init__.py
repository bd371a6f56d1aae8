"""A read-only DVID server for Neuroglancer precomputed volumes, zarr and N5 in buckets."""

__version__ = "1.0.0"
