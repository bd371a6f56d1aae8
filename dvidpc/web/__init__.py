"""What browsers show to people: the page at `/`, its slice viewer, Neuroglancer, `webClient`'s files.

Nothing here is part of DVID's API; the page reads the same endpoints as any client.
"""
