"""Where the labels of a segmentation lie: the layout of a label index and what reads it.

`build/` makes one; the server never imports it. Nothing here knows HTTP or DVID's endpoints.
"""
