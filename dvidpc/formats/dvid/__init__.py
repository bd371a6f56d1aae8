"""What DVID's clients read: the block stream, JSON as Go writes it, images scaled as DVID scales them."""
