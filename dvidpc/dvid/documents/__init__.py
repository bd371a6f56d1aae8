"""Answers that describe the server, its repo and its instances; help, administration and refused writes.

Nothing here reads a voxel. `*_documents` build plain values. `*_endpoints` and the other modules with
handlers frame them as answers.
"""
