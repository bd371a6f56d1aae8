"""The endpoints of DVID's `keyvalue`: values by key."""
