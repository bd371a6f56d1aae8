"""The disk cache: what was read from buckets, kept on a local disk over restarts and shared by processes.

It is imported only if the configuration asks for it. Nothing below this room knows that it exists. It never
raises into a request: whatever the disk does, the bucket is still there.
"""
