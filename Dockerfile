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
# Nothing here uses these, and together they are a third of the image: tests, headers and sources of extensions; libraries
# under a further name; Arrow's own network services (object stores are reached through fsspec), its query plans
# (substrait) and ORC; what botocore knows of all services of AWS but object storage and the ways to its credentials; what
# colours program text (rich's pygments) and sets Markdown on a terminal; apprise's translations; SQLAlchemy's objects for
# rows, and Microsoft's database; Pydantic's old interface; and symbols, which are for debuggers. XRootD's libraries keep
# theirs: its wheel has moved their parts about.
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
RUN cd /opt/consistency/lib/python3.11/site-packages \
    && find . -type d '(' -name tests -o -name include ')' -prune -exec rm -r {} + \
    && find . '(' -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.c' -o -name '*.h' ')' -delete \
    && find pyarrow pyxrootd '(' -name 'lib*.so.*.*' -o -name 'lib[aX]*[a-z].so' ')' -delete \
    && rm -rf pygments* markdown_it* apprise/i18n/*/ pyarrow/src pyarrow/*flight* pyarrow/*s3* pyarrow/*gcsfs* \
       pyarrow/*azurefs* pyarrow/*hdfs* pyarrow/*orc* pyarrow/*cpp_tests* \
       sqlalchemy/orm sqlalchemy/testing sqlalchemy/dialects/mssql pydantic/v1 \
    && find botocore/data -mindepth 1 -maxdepth 1 -type d \
       ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -r {} + \
    && find . -name '*.so*' ! -path './*xrootd*' -exec strip --strip-unneeded {} + \
    && /opt/consistency/bin/python -B -c 'import aiohttp, apprise, cryptography, duckdb, kopf, psycopg, pyarrow.compute, \
       pyarrow.csv, pyarrow.dataset, pyarrow.parquet, rich.progress, s3fs, sqlalchemy.ext.compiler, \
       starlette, uvicorn, XRootD.client, xrdclient, yaml'

FROM ${BASE} AS wheel
COPY requirements-build.lock /src/
RUN pip --no-cache-dir install --require-hashes --only-binary :all: -r /src/requirements-build.lock
COPY LICENSE README.md pyproject.toml /src/
COPY dynamo_consistency /src/dynamo_consistency
COPY operator /src/operator
COPY share /src/share
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src

FROM ${BASE}
# A name for the number: the XRootD client introduces itself with it.
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin consistency
COPY --from=dependencies /opt/consistency /opt/consistency
# Copied, not mounted: podman would not notice a mounted wheel that has changed.
COPY --from=wheel /wheels /wheels
ENV PYTHONDONTWRITEBYTECODE=1
# That keeps pip's own byte code out; what is installed has its byte code all the same.
RUN pip --python /opt/consistency/bin/python --no-cache-dir install --no-deps --no-index /wheels/*.whl
# The root file system is read-only in a pod: byte code was written above, the rest goes to /tmp.
ENV PATH=/opt/consistency/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1
# Last, so that another commit makes no layer anew. tools/image/build gives them.
ARG VERSION=
ARG REVISION=
ARG CREATED=
ARG SOURCE=https://git.example.org/dynamo-consistency
# Else podman would take what follows from its cache, with the commit of another build.
RUN : "$VERSION $REVISION $CREATED $SOURCE"
ENV DYNAMO_CONSISTENCY_REVISION=$REVISION
LABEL org.opencontainers.image.title="dynamo-consistency" \
      org.opencontainers.image.description="Keeps grid storage sites consistent with the inventory that manages them." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source=$SOURCE \
      org.opencontainers.image.documentation="$SOURCE/blob/main/docs/index.md" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.created=$CREATED
USER 10001:10001
WORKDIR /tmp
CMD ["dynamo-consistency", "--help"]
