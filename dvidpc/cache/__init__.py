"""The memory cache, and the in-flight loads that concurrent requests share.

Keys and values are opaque: nothing in this room knows what it caches.
"""
