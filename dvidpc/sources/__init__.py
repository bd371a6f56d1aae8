"""Where chunks come from. `base` is the seam that every source implements; each format has its own room.

A source turns its metadata into a plan of the volume and reads chunks; it knows nothing of blocks or of DVID.
"""
