"""What people would use from Python, as contenders of `cargo xtask bench --with-peers`.

    peers.py PEER TASK PORT WORDS...

whole TABLE        reads a whole table the way its documentation shows, and prints the number of rows
export TABLE FILE  writes a table as CSV with a header
parquet TABLE FILE writes a table as Parquet, compressed by zstd at its level 1
first TABLE        first 1,000 rows on an open connection, several times: prints seconds, one a line
sort FILE COLUMN   sorts a Parquet file by a column into a table: prints seconds
cancel             from a cancel of a sleeping statement to the answer of the next one: prints seconds, one a line

The user is postgres, the database too, the password comes from PGPASSWORD.
"""

import asyncio
import os
import sys
import threading
import time

HOST = "127.0.0.1"
FIRST_ROWS = 1000
TIMES = 10
RUNS_FOR = 0.05


def keywords(port):
    return {"host": HOST, "port": port, "user": "postgres", "password": os.environ["PGPASSWORD"]}


def uri(port):
    from urllib.parse import quote

    return f"postgresql://postgres:{quote(os.environ['PGPASSWORD'])}@{HOST}:{port}/postgres"


def repeated(work):
    """The first time is thrown away."""
    for time_number in range(TIMES + 1):
        seconds = work()
        if time_number:
            print(f"{seconds:.9f}")


class Psycopg:
    def __init__(self, port):
        import psycopg

        self.connection = psycopg.connect(dbname="postgres", **keywords(port))
        self.connection.autocommit = True

    def whole(self, table):
        with self.connection.cursor() as cursor:
            return len(cursor.execute(f"select * from {table}").fetchall())

    def first(self, table):
        def once():
            begun = time.perf_counter()
            with self.connection.transaction(), self.connection.cursor(name="first") as cursor:
                cursor.execute(f"select * from {table}")
                assert len(cursor.fetchmany(FIRST_ROWS)) == FIRST_ROWS
                return time.perf_counter() - begun

        repeated(once)

    def cancel(self):
        import psycopg

        def once():
            asked = []

            def ask():
                time.sleep(RUNS_FOR)
                asked.append(time.perf_counter())
                self.connection.cancel_safe()

            asking = threading.Thread(target=ask)
            asking.start()
            try:
                self.connection.execute("select pg_sleep(100)")
            except psycopg.errors.QueryCanceled:
                pass
            assert self.connection.execute("select 1").fetchone() == (1,)
            done = time.perf_counter()
            asking.join()
            return done - asked[0]

        repeated(once)


class Asyncpg:
    def __init__(self, port):
        self.port = port

    def run(self, work):
        import asyncpg

        async def all_of_it():
            connection = await asyncpg.connect(database="postgres", **keywords(self.port))
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(all_of_it())

    async def repeated(self, work):
        for time_number in range(TIMES + 1):
            seconds = await work()
            if time_number:
                print(f"{seconds:.9f}")

    def whole(self, table):
        return len(self.run(lambda connection: connection.fetch(f"select * from {table}")))

    def first(self, table):
        async def work(connection):
            async def once():
                begun = time.perf_counter()
                async with connection.transaction():
                    cursor = await connection.cursor(f"select * from {table}")
                    assert len(await cursor.fetch(FIRST_ROWS)) == FIRST_ROWS
                    return time.perf_counter() - begun

            await self.repeated(once)

        self.run(work)

    def cancel(self):
        async def work(connection):
            async def once():
                sleeping = asyncio.create_task(connection.execute("select pg_sleep(100)"))
                await asyncio.sleep(RUNS_FOR)
                begun = time.perf_counter()
                sleeping.cancel()
                try:
                    await sleeping
                except asyncio.CancelledError:
                    pass
                assert await connection.fetchval("select 1") == 1
                return time.perf_counter() - begun

            await self.repeated(once)

        self.run(work)


class Adbc:
    def __init__(self, port):
        from adbc_driver_postgresql import dbapi

        self.connection = dbapi.connect(uri(port))

    def whole(self, table):
        with self.connection.cursor() as cursor:
            cursor.execute(f"select * from {table}")
            return sum(batch.num_rows for batch in cursor.fetch_record_batch())

    def first(self, table):
        def once():
            begun = time.perf_counter()
            with self.connection.cursor() as cursor:
                cursor.execute(f"select * from {table}")
                assert cursor.fetch_record_batch().read_next_batch().num_rows >= FIRST_ROWS
                return time.perf_counter() - begun

        repeated(once)

    def parquet(self, table, path):
        from pyarrow import parquet

        with self.connection.cursor() as cursor:
            cursor.execute(f"select * from {table}")
            rows = cursor.fetch_record_batch()
            with parquet.ParquetWriter(path, rows.schema, compression="zstd", compression_level=1) as writer:
                for batch in rows:
                    writer.write_batch(batch)


class Connectorx:
    def __init__(self, port):
        self.uri = uri(port)

    def whole(self, table):
        import connectorx

        return connectorx.read_sql(self.uri, f"select * from {table}", return_type="arrow").num_rows


class DuckDb:
    """The scanner's own way is several connections, by pages of the table; one is its way without that."""

    connections = None

    def __init__(self, port):
        import duckdb
        import duckdb_extensions

        self.database = duckdb.connect()
        duckdb_extensions.import_extension("postgres_scanner", con=self.database)
        self.database.execute("load postgres_scanner")
        if self.connections:
            self.database.execute(f"set threads = {self.connections}")
        self.database.execute(f"attach '{uri(port)}' as pg (type postgres, read_only)")

    def whole(self, table):
        reader = self.database.execute(f"select * from pg.public.{table}").fetch_record_batch()
        return sum(batch.num_rows for batch in reader)

    def export(self, table, path):
        self.database.execute(f"copy pg.public.{table} to '{path}' (format csv, header)")

    def parquet(self, table, path):
        options = "format parquet, compression zstd, compression_level 1"
        self.database.execute(f"copy pg.public.{table} to '{path}' ({options})")


class DuckDbFile:
    """DuckDB with a file in the server's place."""

    def __init__(self, _port):
        import duckdb

        self.database = duckdb.connect()

    def sort(self, path, column):
        begun = time.perf_counter()
        self.database.execute(f"create table sorted as select * from '{path}' order by {column}")
        print(f"{time.perf_counter() - begun:.9f}")


class DuckDbOne(DuckDb):
    connections = 1


PEERS = {
    "psycopg": Psycopg,
    "asyncpg": Asyncpg,
    "adbc": Adbc,
    "connectorx": Connectorx,
    "duckdb": DuckDb,
    "duckdb-1": DuckDbOne,
    "duckdb-file": DuckDbFile,
}


def main():
    peer, task, port, *words = sys.argv[1:]
    answer = getattr(PEERS[peer](int(port)), task)(*words)
    if answer is not None:
        print(answer)
    sys.stdout.flush()
    # What a driver does at the end of Python is not what is measured.
    os._exit(0)


main()
