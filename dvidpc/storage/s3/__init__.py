"""Amazon S3 and compatible services: addresses, regions, credentials, signatures, listing, inspection.

Reads are signed here and sent by `storage.http`. Listing and inspection go through aiobotocore, over the same
HTTP client; the modules that import it at the top (`s3_client`, `s3_listing`, `s3_inspection`) are themselves
imported only when they are needed, because that takes 0.3 s.
"""
