"""The endpoints of DVID's image types (`uint8blk`, ...): blocks, cut-outs, slices, tiles.

One module per family of endpoints; `endpoints` is the table.
"""
