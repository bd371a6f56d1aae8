"""Arrays in chunks: zarr v2 and v3, OME-Zarr and N5.

`dialects` is the door: it names the documents to read and turns them into an `ArrayVolume`. `chunk_view`
shows one channel of one array as a lattice along x, y and z. `spec` describes one array in the order of its
own dimensions; `zarr2`, `zarr3` and `n5` read it from their documents.
"""
