"""A certificate is replaced while many clients shake hands, in a process of its own: an error in OpenSSL crashes it."""

import subprocess
import sys
from pathlib import Path

from tests.server.conftest import CHECKOUT

SCRIPT = """
import itertools, logging, os, ssl, sys, threading
from datetime import timedelta
from pathlib import Path
from certs import self_signed
from tests.certs.build import handshake
from webhook.server.tls import TlsContext

logging.disable()
folder = Path(sys.argv[1])
pairs = [self_signed(["localhost"], timedelta(days=1)) for _ in range(2)]

def put(pair):
    for name, content in (("chain", pair.chain), ("key", pair.key)):
        (folder / "new").write_bytes(content)
        os.replace(folder / "new", folder / name)

def go_on():
    try:
        for _ in range(100):
            handshake(tls.current(), client)
    except BaseException as error:
        failures.append(error)

put(pairs[0])
tls = TlsContext((folder / "chain", folder / "key"), "localhost")
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
failures = []
threads = [threading.Thread(target=go_on) for _ in range(8)]
for thread in threads:
    thread.start()
for pair in itertools.cycle(pairs):
    put(pair)
    if not any(thread.is_alive() for thread in threads):
        break
for thread in threads:
    thread.join()
sys.exit(repr(failures[0]) if failures else 0)
"""


def test_a_certificate_can_be_replaced_while_many_clients_shake_hands(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-500:]}"
