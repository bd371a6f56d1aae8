"""Google Cloud Storage: addresses and credentials."""
