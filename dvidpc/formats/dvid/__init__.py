"""What DVID's clients read: the block stream, Go's JSON, Go's image scaling."""
