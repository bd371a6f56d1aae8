"""The endpoints of DVID's `neuronjson`: a JSON object for each body."""
