# The web page, ready to serve; see docs/guides/deploy.md.
#
#   docker build -t galfeat .
#   docker run --rm --read-only --tmpfs /tmp -p 8080:8080 galfeat
#
# `make test-image` runs these steps without a container engine, and fails on instructions it
# does not support.

FROM python:3.13-slim AS base
# LightGBM's wheel does not include an OpenMP library.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
# Kernels are compiled for a generic CPU, as they run on a different one. galfeat uses its own
# threads over images; OpenMP threads would only compete with them.
ENV PATH=/opt/galfeat/bin:$PATH \
    NUMBA_CACHE_DIR=/opt/galfeat/kernels \
    NUMBA_CPU_NAME=generic \
    NUMBA_CPU_FEATURES="" \
    OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1

FROM base AS build
WORKDIR /opt/source
COPY setup.py setup.cfg pyproject.toml MANIFEST.in README.md LICENSE ./
COPY pipelines pipelines
COPY models models
COPY galfeat galfeat
# The environment uses pip of the base image. The tests of installed packages are not needed.
RUN python -m venv --without-pip /opt/galfeat \
 && python -m pip --python /opt/galfeat install --quiet . \
 && find /opt/galfeat/lib -type d -name tests -prune -exec rm -r {} +
RUN galfeat warmup

FROM base
COPY --from=build /opt/galfeat /opt/galfeat
ENV PORT=8080 \
    HOME=/tmp \
    GALFEAT_HOME=/tmp/galfeat
EXPOSE 8080
USER 65534:65534
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os; from urllib.request import urlopen; urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=4)"]
CMD ["galfeat", "serve", "--host", "0.0.0.0"]
