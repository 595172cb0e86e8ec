"""A client of gRPC that knows nothing but the contracts: it makes its code of them, and talks to a server.

Arguments: the folder of the contracts, the server's address, the file with its token, a connection of it to SQLite.
"""

import os
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

contracts, address, token_file, connection = sys.argv[1:]


def generate(folder):
    files = [
        os.path.join(package, name)
        for package in ("core/v1", "plugin/v1")
        for name in sorted(os.listdir(os.path.join(contracts, package)))
        if name.endswith(".proto")
    ]
    well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    arguments = ["protoc", f"-I{contracts}", f"-I{well_known}"]
    arguments += [f"--python_out={folder}", f"--grpc_python_out={folder}", *files]
    assert protoc.main(arguments) == 0, "the contracts compile"


generated = tempfile.TemporaryDirectory()
generate(generated.name)
sys.path.insert(0, generated.name)

from core.v1 import connection_pb2, query_pb2, query_pb2_grpc, session_pb2, session_pb2_grpc  # noqa: E402

# Longer than anything here takes on a machine that is busy.
PATIENCE = 120

with open(token_file) as file:
    token = file.read().strip()
metadata = (("authorization", f"Bearer {token}"),)
channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 64 << 20)])
queries = query_pb2_grpc.QueryServiceStub(channel)
sessions = session_pb2_grpc.SessionServiceStub(channel)


def make_session_id():
    """A UUIDv7: milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def request(sql, **options):
    return query_pb2.ExecuteRequest(
        session_id=make_session_id(),
        connection=connection_pb2.ConnectionRef(name=connection),
        sql=sql,
        options=query_pb2.ExecuteOptions(**options),
    )


def execute(asked):
    return queries.Execute(asked, metadata=metadata, timeout=PATIENCE)


def parts(stream):
    """The parts of a stream, by their names: first and last those of the session."""
    for answer in stream:
        kind = answer.WhichOneof("part")
        if kind == "result":
            yield answer.result.WhichOneof("part"), getattr(answer.result, answer.result.WhichOneof("part"))
        else:
            yield kind, getattr(answer, kind)


ROWS = "with recursive c(n) as (select 1 union all select n + 1 from c where n < {}) select n from c"

# A stream of many batches, in the order of the contract.
told = list(parts(execute(request(ROWS.format(300_000)))))
kinds = [kind for kind, _ in told]
assert kinds[0] == "session" and kinds[1] == "header" and kinds[-2:] == ["summary", "ended"], kinds
batches = [part for kind, part in told if kind == "batch"]
assert len(batches) > 1 and sum(batch.row_count for batch in batches) == 300_000, len(batches)
summary = told[-2][1]
assert summary.rows == 300_000, summary
assert told[-1][1].cause == query_pb2.END_CAUSE_DONE, told[-1]
print("streamed")

# What the database refuses is a part, and no error.
told = list(parts(execute(request("select 1; selec 2"))))
kinds = [kind for kind, _ in told]
assert "summary" in kinds and kinds[-2:] == ["rejection", "ended"], kinds
rejection = told[-2][1]
assert "syntax error" in rejection.message, rejection
assert told[-1][1].cause == query_pb2.END_CAUSE_REJECTED, told[-1]
print("rejected")

# What runs is stopped by a call of its own, which has a receipt; the stream still ends by itself.
asked = request(ROWS.format(10**15).replace("select n from c", "select count(*) from c"))
stream = execute(asked)
opened = next(stream)
assert opened.WhichOneof("part") == "session", opened
receipt = sessions.CancelSession(
    session_pb2.CancelSessionRequest(session_id=asked.session_id), metadata=metadata, timeout=PATIENCE
)
if receipt.receipt == session_pb2.CANCEL_RECEIPT_CONFIRMED:
    told = list(parts(stream))
    assert told[-1][0] == "ended" and told[-1][1].cause == query_pb2.END_CAUSE_CANCELLED, told
else:
    # On a machine that is busy the database may be too slow to answer, and its driver is killed.
    assert receipt.receipt == session_pb2.CANCEL_RECEIPT_KILLED, receipt
    try:
        told = list(parts(stream))
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.CANCELLED, error
    else:
        raise AssertionError(f"a stream whose driver was killed ends with an error: {told}")
print("cancelled")

# Giving the stream up stops it too, and nobody else is hindered.
asked = request(ROWS.format(10**15))
stream = execute(asked)
next(stream)
stream.cancel()
deadline = time.monotonic() + PATIENCE
while sessions.ListSessions(session_pb2.ListSessionsRequest(), metadata=metadata, timeout=PATIENCE).sessions:
    assert time.monotonic() < deadline, "what nobody reads is stopped"
    time.sleep(0.05)
print("given up")

# A call without the token, and one that makes no sense, have the codes that the contract says.
for wrong, code in (
    (lambda: list(queries.Execute(request("select 1"), timeout=PATIENCE)), grpc.StatusCode.UNAUTHENTICATED),
    (
        lambda: list(execute(query_pb2.ExecuteRequest(session_id="none", connection={"name": connection}))),
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
):
    try:
        wrong()
    except grpc.RpcError as error:
        assert error.code() == code, error
    else:
        raise AssertionError(f"{code} was expected")
print("refused")

# Many at once, on one connection.
failed = []


def one(number):
    told = list(parts(execute(request(f"select {number} as number"))))
    if told[-1][1].cause != query_pb2.END_CAUSE_DONE:
        failed.append(told)


threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failed, failed
print("side by side")
