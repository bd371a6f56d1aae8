"""The endpoints of DVID's `annotation`: elements at positions, such as synapses."""
