"""DVID's HTTP API: paths, query strings, documents, error texts. No other room knows DVID's wire format.

`routes` is the one table of paths; each data type has a room of its own with its table of endpoints
(`imageblk/`), registered by one line in `data_types`. Handlers parse, call and frame; they do no arithmetic
on voxels.
"""
