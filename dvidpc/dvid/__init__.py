"""DVID's HTTP API: paths, query strings, documents, error texts. No other room knows DVID's wire format.

`routes` is the one table of paths. `url/` turns the text of a URL into values. `documents/` answers for
the server and its repo. Each family of data types has its own folder with a table of endpoints (`imageblk/`),
registered by one line in `data_types`. Handlers parse, call and frame; they do no arithmetic on voxels.
"""
