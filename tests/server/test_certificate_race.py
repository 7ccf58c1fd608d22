"""A certificate is replaced while many clients shake hands, in a process of its own: an error in OpenSSL crashes it."""

import subprocess
import sys
from pathlib import Path

from tests.server.conftest import CHECKOUT

SCRIPT = """
import itertools, logging, sys, threading
from pathlib import Path
from tests.certs.build import handshake
from tests.server.test_tls import ADDRESS, ONE, TWO, client, write
from webhook.server.tls import TlsContext

def shake_hands():
    try:
        for _ in range(100):
            handshake(tls.current(), client(), ADDRESS)
    except BaseException as error:
        failures.append(error)

logging.disable()
folder, failures = Path(sys.argv[1]), []
tls = TlsContext(write(folder, ONE), ADDRESS)
threads = [threading.Thread(target=shake_hands) for _ in range(8)]
for thread in threads:
    thread.start()
for leaf in itertools.cycle((TWO, ONE)):
    write(folder, leaf)
    if not any(thread.is_alive() for thread in threads):
        break
sys.exit(repr(failures[0]) if failures else 0)
"""


def test_a_certificate_can_be_replaced_while_many_clients_shake_hands(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-500:]}"
