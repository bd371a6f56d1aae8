"""Parse the text of a URL: path parts, numbers, coordinates, shapes and query parameters.

No other module interprets a string from a URL. A value that comes out of this folder is valid. Text that
is not raises a `RequestError` in DVID's words.
"""
