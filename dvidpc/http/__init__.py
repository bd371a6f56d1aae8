"""What any good HTTP server needs: statuses, streaming, ETags, CORS, tokens, admission, the access log.

Nothing here knows what DVID is, or what a voxel is.
"""
