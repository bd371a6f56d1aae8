"""Google Cloud Storage: endpoint, credentials, reads, listing, inspection.

Reads use the XML API and are sent by `storage.http`. Credentials come from gcloud-aio-auth. Listing goes
through gcloud-aio-storage, over the same HTTP client. `storage.vendors` imports this room when a bucket is
first opened.
"""
