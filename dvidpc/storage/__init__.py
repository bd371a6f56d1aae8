"""Where bytes are: S3, Google Cloud Storage, web servers and directories behind one seam, `base.ObjectStore`.

Nothing here knows what the bytes mean. Each module turns the exceptions of the library that it calls into
`StoreError`s, so that no other room imports a vendor's library.
"""
