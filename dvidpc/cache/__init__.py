"""What was read, kept: the memory cache, and the loads under way that concurrent requests share.

Values and keys are opaque here: nothing in this room knows what it keeps.
"""
