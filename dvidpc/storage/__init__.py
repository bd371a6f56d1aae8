"""Where bytes are: buckets, web servers and directories. Knows nothing of volumes."""
