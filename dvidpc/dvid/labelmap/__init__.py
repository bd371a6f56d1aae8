"""The endpoints of DVID's `labelmap`: blocks, cut-outs and single labels of a segmentation.

Handlers take one scale of a segmentation, so that `labelblk` shares them. `levels` finds the scale.
"""
