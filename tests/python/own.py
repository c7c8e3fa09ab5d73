"""Servers of a test's own, on state directories that outlive them."""

import os
import queue
import signal
import subprocess
import tempfile
import threading

import pywbem

from events import *  # noqa: F403

BINARY = os.environ["JOBWRIGHT_TEST_BINARY"]


class Server:
    """A server of this test's own, on a state directory that outlives it."""

    def __init__(self, state, **variables):
        self.state = state
        self.variables = {f"JOBWRIGHT_{name.upper()}": value for name, value in variables.items()}
        self.start()

    def start(self):
        command = [BINARY, "serve", "--port", "0", "--state-dir", self.state]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, **self.variables}
        )
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.url = lines[0].split()[-1].removesuffix("/cimom")
        with open(os.path.join(self.state, "admin-password"), encoding="ascii") as file:
            password = file.read().strip()
        self.conn = pywbem.WBEMConnection(
            self.url, ("admin", password), default_namespace=NAMESPACE, timeout=60
        )

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


class Own(EventCase):
    """A test with servers of its own."""

    @classmethod
    def setUpClass(cls):
        pass

    def server(self, **variables):
        state = tempfile.TemporaryDirectory(prefix="jobwright-test-")
        os.chmod(state.name, 0o700)
        self.addCleanup(state.cleanup)
        server = Server(state.name, **variables)
        self.conn = server.conn
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return server

    def settle(self, **settings):
        """Changes settings of the indication service."""
        conn = connection_to_interop(self.conn)
        path = conn.EnumerateInstanceNames("CIM_IndicationService")[0]
        conn.ModifyInstance(pywbem.CIMInstance("JW_IndicationService", settings, path=path))

    def quick(self):
        self.settle(
            DeliveryRetryAttempts=pywbem.Uint16(1000), DeliveryRetryInterval=pywbem.Uint32(1)
        )

    def statistics(self):
        return connection_to_interop(self.conn).EnumerateInstances("JW_DestinationStatistics")[0]

    def whole_life(self):
        path = self.create("/bin/true")
        self.wait(path, COMPLETED)
        self.conn.DeleteInstance(path)


def once(indications):
    """The indications without repetitions of the same number."""
    seen, found = set(), []
    for indication in indications:
        number = (indication["SequenceContext"], indication["SequenceNumber"])
        if number not in seen:
            seen.add(number)
            found.append(indication)
    return found


def end(process):
    """Ends a process of the test, and closes what it was read by."""
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class Lines:
    """What a process prints, a line at a time as it comes."""

    def __init__(self, process):
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self.read, args=(process.stdout,), daemon=True)
        self.thread.start()

    def read(self, output):
        for line in output:
            self.lines.put(line)
        self.lines.put(None)

    def next(self, what):
        """The next line; None when there will be no more."""
        try:
            return self.lines.get(timeout=DEADLINE_SECONDS)
        except queue.Empty:
            raise AssertionError(f"waited {DEADLINE_SECONDS} s in vain for {what}") from None
