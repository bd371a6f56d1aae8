"""Answers that describe the server, its repo and its instances, from documents to help and refusals.

Nothing here reads a voxel.
"""
