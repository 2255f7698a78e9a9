# No syntax line: BuildKit would fetch its frontend from a registry, and this file must build without one.

FROM debian:trixie-slim AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPATH=/app
WORKDIR /app

FROM python AS orchestrator-packages
COPY requirements/orchestrator.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/orchestrator.txt

FROM python AS panel-packages
COPY requirements/panel.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/panel.txt

# The proxy: HAProxy from Debian. The orchestrator writes its configuration, Lua and pages into the shared volume.
FROM debian:trixie-slim AS proxy
RUN apt-get update \
 && apt-get install -y --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists/*
COPY orchestrator/proxy/end_workers.sh /usr/local/lib/changeover/
USER haproxy
# On SIGUSR1, HAProxy finishes running requests; on SIGTERM, it closes them.
STOPSIGNAL SIGUSR1
EXPOSE 8080
# At the first start the orchestrator has not written the files yet; at any later one they are there already.
CMD ["sh", "-c", "until [ -f /run/changeover/haproxy.cfg ]; do sleep 0.1; done; \
 sh /usr/local/lib/changeover/end_workers.sh & \
 exec haproxy -W -S /run/changeover/master.sock,mode,666 -f /run/changeover/haproxy.cfg"]

# The orchestrator. git fetches sources, by SSH with OpenSSH; the docker command with buildx builds images.
FROM python AS orchestrator
RUN apt-get update \
 && apt-get install -y --no-install-recommends git git-lfs openssh-client docker-cli docker-buildx ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=orchestrator-packages /opt/venv /opt/venv
COPY border border
COPY migrations migrations
COPY http_limits http_limits
COPY orchestrator orchestrator
RUN python -m compileall -q border orchestrator migrations http_limits
# glibc keeps what threads and large bodies have used: it gave 20 threads arenas of their own, and after bodies of 2 MB it
# puts such bodies among small objects. 30,000 hostile requests then raised the memory by 7.7 MB,
# and it went on; with these settings by 1.5 MB, ending (mallopt(3); bench/results/2026-11-26-limits.md).
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=0.5s \
    CMD ["python", "-m", "orchestrator.docker_healthcheck"]
CMD ["python", "-m", "orchestrator"]

# The panel is last, so that it is the default target of `docker build`.
FROM python AS panel
RUN useradd --uid 10001 --create-home panel && install -d -o panel -g panel /data
COPY --from=panel-packages /opt/venv /opt/venv
COPY pyproject.toml ./
COPY border border
COPY migrations migrations
COPY http_limits http_limits
COPY panel panel
RUN python -m compileall -q border panel migrations http_limits
# As above.
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
USER panel
ENV PANEL_DATABASE_URL=sqlite:////data/panel.db
EXPOSE 8000
CMD ["python", "-m", "panel.web"]
