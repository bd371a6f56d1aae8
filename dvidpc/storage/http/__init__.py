"""The HTTP client under every remote store: sessions, proxies, TLS, ranges, errors; plain web servers."""
