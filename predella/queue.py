"""How one process wakes another: task names, never task code.

Postgres is the truth; a message carries nothing and only says "look now". A lost message
is rung again by the sweep, a doubled one finds nothing to do.
"""

from functools import cache

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from predella import db
from predella.settings import Settings, get_settings

RECEIVE = "predella.receive"
PREPARE = "predella.prepare"
ANALYZE = "predella.analyze"
EXPORT = "predella.export"
ZOOM = "predella.zoom"
DELIVER = "predella.deliver"

CPU, GPU = "cpu", "gpu"
_ROUTES = {RECEIVE: CPU, PREPARE: CPU, EXPORT: CPU, ZOOM: CPU, DELIVER: CPU, ANALYZE: GPU}

log = structlog.get_logger()


def make_celery(settings: Settings) -> Celery:
    """Build a Celery application with the settings that both sides must share."""
    celery = Celery("predella", broker=settings.broker_url.get_secret_value())
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_routes={task: {"queue": queue} for task, queue in _ROUTES.items()},
        task_create_missing_queues=True,
        # Redelivery instead of loss: a doubled message is harmless, the claim finds nothing.
        task_acks_late=True,
        # An item that kills its process must not come back for ever; the sweep decides.
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_pool="prefork",
        # CUDA does not survive a fork.
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=600,
        worker_soft_shutdown_timeout=60,
        worker_enable_soft_shutdown_on_idle=False,
        worker_hijack_root_logger=False,
        # Finishes are fenced: work in hand is not thrown away because the broker blinked.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        broker_transport_options=_transport(settings),
    )
    return celery


def _transport(settings: Settings) -> dict[str, object]:
    if not settings.broker_url.get_secret_value().startswith(("redis", "rediss")):
        return {}
    return {
        # A drain of the model may take longer. Its message comes again then, waits until a
        # worker is free, and finds nothing, or something to do.
        "visibility_timeout": 3600,
        # Without these a hung broker blocks whoever publishes, for ever.
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }


@cache
def _publisher() -> Celery:
    return make_celery(get_settings())


def ring(task: str) -> None:
    """Wake one worker for this task; a broker that is down is logged, never an error."""
    try:
        _publisher().send_task(task, retry=False)
    except OperationalError as error:
        log.warning("ring_failed", task=task, error=str(error))


def ring_up_to(task: str, messages: int) -> None:
    """Wake workers for this task, but leave no more than so many messages unread in its queue.

    Who rings again and again must not fill the broker while no worker is there to listen.
    """
    try:
        for _ in range(messages - _unread(_ROUTES[task])):
            _publisher().send_task(task, retry=False)
    except OperationalError as error:
        log.warning("ring_failed", task=task, error=str(error))


def _unread(queue: str) -> int:
    with _publisher().connection_for_write() as connection:
        try:
            declared = connection.default_channel.queue_declare(queue, passive=True)  # type: ignore[attr-defined]  # the stubs lack it
        except connection.channel_errors:
            return 0
    return int(declared.message_count)


def ring_after_commit(session: Session, task: str) -> None:
    """Wake one worker for this task once this transaction has committed."""
    db.after_commit(session, lambda: ring(task))
