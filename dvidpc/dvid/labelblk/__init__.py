"""The endpoints of DVID's `labelblk`: an instance for each scale of a segmentation."""
