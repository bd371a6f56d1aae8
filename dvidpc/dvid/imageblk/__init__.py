"""The endpoints of DVID's image types (`uint8blk`, ...): blocks, cut-outs, slices, tiles.

Each endpoint or group of similar endpoints has a module. `endpoints` is their table.
"""
