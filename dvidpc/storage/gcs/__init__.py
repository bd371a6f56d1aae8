"""Google Cloud Storage: endpoint, credentials, reads, listing, inspection.

Reads use the XML API and are sent by `storage.http`. Listing goes through gcloud-aio-storage, over the same
HTTP client.
"""
