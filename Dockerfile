# The tag names the Python version; `make base` pins its current digest in both stages.
FROM python:3.13-slim AS build

WORKDIR /source
# `alerts` adds Apprise, `postgresql` psycopg: docker build --build-arg "REQUIREMENTS=alerts postgresql"
ARG REQUIREMENTS=run
COPY pyproject.toml README.md LICENSE ./
COPY requirements requirements
COPY scripts/install scripts/install
COPY amazon_bridge amazon_bridge
RUN PIP_NO_CACHE_DIR=1 scripts/install /opt/amazon-bridge $REQUIREMENTS


FROM python:3.13-slim

COPY --from=build /opt/amazon-bridge /opt/amazon-bridge
ENV PATH=/opt/amazon-bridge/bin:$PATH

# The configuration is mounted at /etc/amazon-bridge/bridge.yaml, and the state store is in the
# volume: `state: /var/lib/amazon-bridge/bridge.db`.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin amazon-bridge \
    && install --directory --owner=amazon-bridge --mode=0700 /var/lib/amazon-bridge \
    && install --directory /etc/amazon-bridge
VOLUME /var/lib/amazon-bridge
WORKDIR /var/lib/amazon-bridge
USER 10001

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=15s --start-period=60s CMD ["amazon-bridge", "healthcheck"]
ENTRYPOINT ["amazon-bridge"]
CMD ["run"]
