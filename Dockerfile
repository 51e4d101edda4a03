# syntax=docker/dockerfile:1
# One image for every role: `docker run ... slawatch serve --role worker`. No secret is built in; all settings come as SLAWATCH_*.
# The base is named by tag; pin it by digest where your registry lets you (`python:3.11-slim@sha256:...`).

FROM python:3.11 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv /opt/slawatch
# The dependencies first: this layer stays as long as the lock files do.
COPY requirements/build.txt requirements/run.txt requirements/
# What only the build needs lies apart (/opt/tools), so none of it gets into the image.
RUN /opt/slawatch/bin/pip install --require-hashes -r requirements/run.txt \
    && /opt/slawatch/bin/pip install --require-hashes --target /opt/tools -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN export PYTHONPATH=/opt/tools \
    && /opt/slawatch/bin/python -m app.compiled \
    && /opt/slawatch/bin/pip install --no-deps --no-build-isolation . \
    && cp -r app/compiled/modules /opt/slawatch/lib/python3.11/site-packages/app/compiled/
# As it will run: from the venv alone, and the engine compiled.
WORKDIR /
RUN /opt/slawatch/bin/python -c 'import app; assert app.COMPILED' \
    && /opt/slawatch/bin/pip uninstall --yes setuptools pip

FROM python:3.11-slim
LABEL org.opencontainers.image.title="slawatch" \
    org.opencontainers.image.description="SLA breach detection: ticket webhooks in, exact clocks, signed breach callbacks out" \
    org.opencontainers.image.licenses="Apache-2.0"
# /data holds SQLite's file, when SQLite is used; nothing else is ever written, so the root may be read-only.
RUN groupadd --system --gid 10001 slawatch \
    && useradd --system --uid 10001 --gid slawatch --home-dir /data --no-create-home --shell /usr/sbin/nologin slawatch \
    && install --directory --owner slawatch --group slawatch --mode 0750 /data
COPY --from=build /opt/slawatch /opt/slawatch
ENV PATH=/opt/slawatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SLAWATCH_DATABASE_URL=sqlite:////data/slawatch.db \
    SLAWATCH_HOST=0.0.0.0 \
    SLAWATCH_LOG_FORMAT=json \
    SLAWATCH_PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['SLAWATCH_PORT']}/healthz\", timeout=2)"]
ENTRYPOINT ["slawatch"]
CMD ["serve"]
