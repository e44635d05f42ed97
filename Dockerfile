# The page with the button, ready to serve; docs/guides/deploy.md says where and how.
#
#   docker build -t galfeat .
#   docker run --rm --read-only --tmpfs /tmp -p 8080:8080 galfeat
#
# `make test-image` follows these lines without a container engine: what it does not
# understand stops it.

FROM python:3.13-slim AS base
# LightGBM's wheel brings no OpenMP library.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
# Kernels are compiled here and run on another processor, so for none in particular. Threads
# over images are galfeat's own; OpenMP under them would only get in the way.
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
# The base's pip installs into the environment, which needs none of its own; nobody runs the
# packages' tests there.
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
