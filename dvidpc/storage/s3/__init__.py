"""Amazon S3 and services like it: addresses, regions, credentials, signatures."""
