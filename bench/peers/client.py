"""client CALLS WARM-UP PORT VERSION CA-FILE: full handshakes of Python's ssl with one context, CA and name verified."""
import json
import socket
import ssl
import sys
import time

calls, warm_up, port = (int(x) for x in sys.argv[1:4])
version = ssl.TLSVersion.TLSv1_2 if sys.argv[4] == "TLSv1.2" else ssl.TLSVersion.TLSv1_3
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(sys.argv[5])
context.minimum_version = context.maximum_version = version


def visit():
    with socket.create_connection(("127.0.0.1", port)) as tcp:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(tcp, server_hostname="localhost"):
            pass


for _ in range(warm_up):
    visit()
before = time.process_time()
for _ in range(calls):
    visit()
print(json.dumps({"calls": calls, "cpu": (time.process_time() - before) * 1e6}))
