# The API, the migrations, the sweep and the command line: no torch, no Pillow.
#   docker build --file infra/docker/api.Dockerfile --tag predella-api .
ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/predella
COPY requirements/api.txt /tmp/requirements.txt
RUN /opt/predella/bin/pip install --require-hashes --no-deps --requirement /tmp/requirements.txt
WORKDIR /app
COPY pyproject.toml README.md ./
COPY predella predella
COPY api api
RUN /opt/predella/bin/pip install --no-deps --editable .

FROM ${PYTHON}
ENV PATH=/opt/predella/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /opt/predella /opt/predella
COPY --from=build /app /app
COPY migrations migrations
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "api", "--host", "0.0.0.0", "--port", "8000"]
