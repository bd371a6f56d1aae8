"""A read-only DVID server for Neuroglancer precomputed volumes in buckets."""

__version__ = "1.0.0"
