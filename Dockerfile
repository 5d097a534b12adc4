# One image for the operator and its workers; what a container does is its command:
#   consistency-operator run …      the operator
#   dynamo-consistency stage …      a worker
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS dependencies
RUN python -m venv --without-pip /opt/consistency
COPY requirements-image.lock /src/
# Only wheels: what would need a compiler is an error here, not a compiler in the image.
RUN pip --python /opt/consistency/bin/python --no-cache-dir install --require-hashes --only-binary :all: \
    -r /src/requirements-image.lock
# Nothing here uses these, and together they are a fifth of the image: tests and headers; libraries under a further name; an
# asynchronous client of Kubernetes; Arrow's own network services (object stores are reached through fsspec); and what
# botocore knows of all services of AWS but object storage and the ways to its credentials.
RUN cd /opt/consistency/lib/python3.11/site-packages \
    && find . -type d '(' -name tests -o -name include ')' -prune -exec rm -r {} + \
    && find pyarrow pyxrootd -name 'lib*.so.*.*' -delete \
    && rm -rf kubernetes/aio pyarrow/*flight* pyarrow/*s3* \
    && find botocore/data -mindepth 1 -maxdepth 1 -type d \
       ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -r {} +

FROM ${BASE} AS wheel
COPY requirements-build.lock /src/
RUN pip --no-cache-dir install --require-hashes --only-binary :all: -r /src/requirements-build.lock
COPY LICENSE README.md pyproject.toml /src/
COPY dynamo_consistency /src/dynamo_consistency
COPY operator /src/operator
COPY share /src/share
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src

FROM ${BASE}
LABEL org.opencontainers.image.title="dynamo-consistency" org.opencontainers.image.licenses="Apache-2.0"
# A name for the number: the XRootD client introduces itself with it.
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin consistency
COPY --from=dependencies /opt/consistency /opt/consistency
# Copied, not mounted: podman would not notice a mounted wheel that has changed.
COPY --from=wheel /wheels /wheels
RUN pip --python /opt/consistency/bin/python --no-cache-dir install --no-deps --no-index /wheels/*.whl
# The root file system is read-only in a pod: byte code was written above, the rest goes to /tmp.
ENV PATH=/opt/consistency/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
CMD ["dynamo-consistency", "--help"]
