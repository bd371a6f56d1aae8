"""`dvidpc prefetch`: read a part of a volume on purpose, so that the disk cache holds it before anybody asks.

It reads chunks as the server does, through the same sources and the same disk cache, and decodes none.
"""
