"""Amazon S3 and compatible services: addresses, regions, credentials, signatures, listing, inspection.

Reads are signed here and sent by `storage.http`. Credentials, listing and inspection go through aiobotocore,
the latter two over the same HTTP client. `storage.vendors` imports this room when a bucket is first opened.
"""
