"""How often and how hard a store is asked: retries, backoff, concurrency, circuit breaker, counts."""
