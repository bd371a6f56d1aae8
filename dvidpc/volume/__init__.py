"""What DVID calls data: a precomputed volume's scales as grids of blocks."""
