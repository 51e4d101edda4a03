"""Rows to write and read where a test of transactions needs some."""

from sqlalchemy import insert, select

from app.store.database import Connection, Database
from app.store.tables import job_runs
from tests.support.clock import START


async def add(connection: Connection, job: str) -> None:
    await connection.execute(insert(job_runs).values(job=job, scheduled_for=START, claimed_at=START))


async def jobs(connection: Connection) -> list[str]:
    return list((await connection.execute(select(job_runs.c.job).order_by(job_runs.c.job))).scalars())


async def stored(database: Database) -> list[str]:
    async with database.read() as connection:
        return await jobs(connection)
