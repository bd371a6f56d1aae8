"""The endpoints of DVID's `labelsz`: how many elements a segment has."""
