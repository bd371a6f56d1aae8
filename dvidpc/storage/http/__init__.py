"""The HTTP client under every remote store: sessions, proxies, TLS, ranges, errors. Also plain web servers.

Nothing here knows a vendor: what differs between S3, Google and a web server is behind `service.HttpService`.
"""
