"""Where bytes are: S3, Google Cloud Storage, web servers and directories behind one seam, `base.ObjectStore`.

Nothing here knows what the bytes mean. Whatever a vendor's library raises becomes a `StoreError` here.
"""
