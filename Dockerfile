# The simulator with all it needs for a database. It listens on every address, so /__admin needs a token: it is made up
# and printed at the start, unless BANKED_SIMULATOR_ADMIN_TOKEN says which.
FROM python:3.13-slim

COPY . /source
RUN pip install --no-cache-dir '/source[sql]' && rm -r /source && useradd --system simulator
USER simulator
ENV BANKED_SIMULATOR_HOST=0.0.0.0 PYTHONUNBUFFERED=1
EXPOSE 2265
HEALTHCHECK --interval=5s --start-period=5s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:2265/readyz', timeout=2)"]
ENTRYPOINT ["banked-simulator"]
CMD ["serve"]
