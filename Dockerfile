# A small image that runs as an unprivileged user and writes only what [cache] disk_path names:
#   docker build -t dvidpc .
#   docker run --read-only -p 8000:8000 -v /path/to/config.toml:/etc/dvidpc/config.toml:ro dvidpc
# With a disk cache at /var/cache/dvidpc, add: -v dvidpc-cache:/var/cache/dvidpc
# The configuration must listen on every interface: httpAddress = ":8000".
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY dvidpc ./dvidpc
RUN python -m venv /opt/dvidpc && /opt/dvidpc/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/dvidpc /opt/dvidpc
# A new volume at /var/cache/dvidpc belongs to the user, as the directory below it does.
RUN useradd --system --uid 10001 --no-create-home dvidpc \
    && install --directory --owner=dvidpc --mode=0700 /var/cache/dvidpc
ENV PATH=/opt/dvidpc/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# With tls_cert, ask by https instead.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://localhost:8000/healthz', timeout=2)"]
ENTRYPOINT ["dvidpc"]
CMD ["serve", "/etc/dvidpc/config.toml"]
