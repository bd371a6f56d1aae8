"""DVID's HTTP face: parse the request, call the volume, frame the answer."""
