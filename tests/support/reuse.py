"""One migrated database of a server for test after test, because making a copy of the template and removing it again costs more than most
tests do.

Between two tests whoever is still connected is thrown out and every table that has rows is emptied, as TRUNCATE does it: with its pages,
indexes and planner's figures as new. A test that changed anything but rows (a column, an index, a grant, a setting of the database, its
revision) is noticed, and the next test gets a new copy.
"""

from typing import Final

from tests.support.postgres import Postgres

_EMPTY: Final = """
DO $$
DECLARE filled text;
BEGIN
    PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
    SELECT string_agg(oid::regclass::text, ', ') INTO filled FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0;
    IF filled IS NOT NULL THEN EXECUTE 'TRUNCATE ' || filled || ' RESTART IDENTITY CASCADE'; END IF;
END
$$;
"""
# Rows of the catalogue are never changed in place, so their number and the last transaction to write one tell any change. TRUNCATE
# itself writes rows of pg_class, of which the words that it leaves alone are compared instead.
_STATE: Final = """
SELECT (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_attribute),
       (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_constraint),
       (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_depend),
       (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_namespace),
       (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_statistic),
       (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_db_role_setting),
       (SELECT md5(string_agg(concat_ws(' ', relname, relkind, relpersistence, relowner, relacl, reloptions), ',' ORDER BY oid))
            FROM pg_class WHERE relnamespace = 'public'::regnamespace),
       (SELECT concat_ws(' ', count(*), max(version_num)) FROM alembic_version)
"""


class Reused:
    """A database like `template`, which is migrated and empty: `take` it for a test, `give_back` what was taken."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self._template = template
        self._spare: str | None = None
        self._states: dict[str, str] = {}

    def take(self) -> str:
        """The name of an empty database, nobody else's until it is given back."""
        if self._spare is not None:
            name, self._spare = self._spare, None
            return name
        name = self._server.create(self._template)
        self._states[name] = self._server.sql(_STATE, name)
        return name

    def give_back(self, name: str) -> None:
        """Empty the database for the next test; one that has another schema now, or that is one too many, is removed."""
        if self._spare is None and self._server.sql(_EMPTY + _STATE, name) == self._states[name]:
            self._spare = name
        else:
            self._server.drop(name)
            del self._states[name]
