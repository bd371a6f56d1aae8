"""The server as a process: make the parts and join them, listen, reload, run workers, guard memory.

`app` is the only module that knows every room. Nothing here parses a request or reads a chunk.
"""
