"""What any HTTP server needs: error statuses, streaming, ETags, CORS, tokens, admission, access log, metrics.

Nothing here knows DVID's API or how voxels are stored. What a middleware needs from the layers above comes in
as an argument.
"""
