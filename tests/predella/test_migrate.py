from sqlalchemy import create_engine, make_url, text

from predella import migrate
from tests.services import UrlOf, service_url, sqlalchemy_url


class TestAdmit:
    def test_may_be_repeated_and_changes_the_password(self, postgres: UrlOf, template: str) -> None:
        owner = create_engine(sqlalchemy_url(postgres(template)))
        service = make_url(service_url(postgres(template)))
        changed = service.set(password="another")

        migrate.admit(owner, changed)
        owner.dispose()
        with create_engine(changed).connect() as connection:
            assert connection.scalar(text("SELECT current_user")) == service.username
            connection.detach()

        migrate.admit(owner, service)
        owner.dispose()

    def test_leaves_the_owner_as_it_is(self, postgres: UrlOf, template: str) -> None:
        owner = create_engine(sqlalchemy_url(postgres(template)))

        migrate.admit(owner, owner.url.set(password="never used"))

        with owner.connect() as connection:
            assert connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = user"))
        owner.dispose()
