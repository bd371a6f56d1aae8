"""What stored and served bytes mean: pure functions, no I/O."""
