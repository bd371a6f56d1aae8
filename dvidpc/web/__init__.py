"""What people see in a browser: the page at `/`, its slice viewer, Neuroglancer, the files of `webClient`.

Nothing here is part of DVID's API, and the page reads the same endpoints as any other client.
"""
