"""Builds a label index, on one machine or on a cluster of Dask (extra `dvidpc[index]`).

Only the command line and the demo import it, never the server. The steps are plain functions of a `BuildJob`:
`map_tile`, `reduce_partition` and `finish_index`. `dask_run` has Dask call them. The modules that the demo
imports need neither Dask nor Arrow.
"""
