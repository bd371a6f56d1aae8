"""Decides how often and how hard a store is asked: retries, backoff, concurrency, circuit breaker, counts.

`pressure` and `turns` decide, without waiting or reading a clock; `retrying_store` does what they decide.
"""
