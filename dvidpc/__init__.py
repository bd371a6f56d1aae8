"""A read-only DVID server for Neuroglancer precomputed volumes in buckets."""

__version__ = "0.1.0"
