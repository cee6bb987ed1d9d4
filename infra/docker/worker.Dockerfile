# Two images: `cpu` prepares pictures, `model` also has PyTorch. Weights are mounted, never baked in.
#   docker build --file infra/docker/worker.Dockerfile --target cpu --tag predella-cpu-worker .
#   docker build --file infra/docker/worker.Dockerfile --target model --tag predella-gpu-worker .
ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS locked
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/predella
COPY requirements/worker.txt /tmp/requirements.txt
RUN /opt/predella/bin/pip install --require-hashes --no-deps --requirement /tmp/requirements.txt

FROM locked AS with-torch
# The default is the CUDA build; https://download.pytorch.org/whl/cpu has the small one.
ARG TORCH=torch==2.13.0
ARG TORCH_INDEX=https://pypi.org/simple
RUN /opt/predella/bin/pip install --index-url "${TORCH_INDEX}" "${TORCH}"

FROM ${PYTHON} AS wheel
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
COPY pyproject.toml README.md ./
COPY predella predella
COPY worker worker
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM locked AS built-cpu
COPY --from=wheel /wheels /wheels
RUN /opt/predella/bin/pip install --no-deps /wheels/*.whl

FROM with-torch AS built-model
COPY --from=wheel /wheels /wheels
RUN /opt/predella/bin/pip install --no-deps /wheels/*.whl

FROM ${PYTHON} AS cpu
ENV PATH=/opt/predella/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 10001:10001
COPY --from=built-cpu /opt/predella /opt/predella
CMD ["celery", "--app", "worker.app", "worker", "--queues", "cpu", "--hostname", "cpu@%h", "--concurrency", "2"]

FROM ${PYTHON} AS model
# Triton compiles its kernels where they run.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/predella/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 10001:10001
COPY --from=built-model /opt/predella /opt/predella
CMD ["celery", "--app", "worker.app", "worker", "--queues", "gpu", "--hostname", "gpu@%h", "--concurrency", "1"]
