"""The Celery application: ``celery --app worker.app worker --queues cpu`` (or ``gpu``)."""

from celery.signals import setup_logging

from predella import logs
from predella.queue import make_celery
from predella.settings import get_settings

app = make_celery(get_settings())
app.conf.include = ["worker.tasks"]


@setup_logging.connect
def _set_up_logging(**_: object) -> None:
    logs.configure(get_settings())
