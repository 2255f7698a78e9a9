# syntax-free on purpose: a syntax line would be fetched from a registry, and this builds without one.

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

# The proxy: HAProxy as Debian ships it; its configuration, Lua and pages come from the orchestrator through the shared
# volume.
FROM debian:trixie-slim AS proxy
RUN apt-get update \
 && apt-get install -y --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists/*
USER haproxy
# SIGUSR1 lets requests in flight finish; SIGTERM would cut them.
STOPSIGNAL SIGUSR1
EXPOSE 8080
CMD ["haproxy", "-W", "-S", "/run/changeover/master.sock,mode,666", "-f", "/run/changeover/haproxy.cfg"]

# The orchestrator: alone in touching Docker; git fetches sources, the docker command with buildx builds.
FROM python AS orchestrator
RUN apt-get update \
 && apt-get install -y --no-install-recommends git docker-cli docker-buildx ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=orchestrator-packages /opt/venv /opt/venv
COPY migrations migrations
COPY orchestrator orchestrator
RUN python -m compileall -q orchestrator migrations
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=0.5s \
    CMD ["python", "-m", "orchestrator.docker_healthcheck"]
CMD ["python", "-m", "orchestrator"]

# The panel comes last: it is what a plain `docker build` makes, and the first app that Changeover deploys.
FROM python AS panel
RUN useradd --uid 10001 --create-home panel && install -d -o panel -g panel /data
COPY --from=panel-packages /opt/venv /opt/venv
COPY pyproject.toml ./
COPY migrations migrations
COPY panel panel
RUN python -m compileall -q panel migrations
USER panel
ENV PANEL_DATABASE_URL=sqlite:////data/panel.db
EXPOSE 8000
CMD ["python", "-m", "panel.web"]
