"""What the pywbem tests share: the connection, job helpers, and waiting for a state."""

import os
import time
import unittest

import pywbem

URL = os.environ["JOBWRIGHT_TEST_URL"]
PASSWORD = os.environ["JOBWRIGHT_TEST_PASSWORD"]
NAMESPACE = "root/cimv2"

NEW, STARTING, RUNNING, SUSPENDED, SHUTTING_DOWN = 2, 3, 4, 5, 6
COMPLETED, TERMINATED, KILLED, EXCEPTION = 7, 8, 9, 10
FINAL = {COMPLETED, TERMINATED, KILLED, EXCEPTION}

START, SUSPEND, TERMINATE, KILL, SERVICE = 2, 3, 4, 5, 6

DEADLINE_SECONDS = int(os.environ.get("JOBWRIGHT_TEST_DEADLINE", "60"))


def connect(user="admin", password=PASSWORD, namespace=NAMESPACE):
    creds = (user, password) if user else None
    return pywbem.WBEMConnection(URL, creds, default_namespace=namespace, timeout=60)


class Case(unittest.TestCase):
    """A test with a connection and with jobs."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.conn = connect()

    def create(self, *command, **properties):
        """Creates a JW_Job and returns its path."""
        values = {"Name": "test job", **properties}
        if command:
            values["Command"] = list(command)
        return self.conn.CreateInstance(pywbem.CIMInstance("JW_Job", values))

    def get(self, path, *names):
        instance = self.conn.GetInstance(path)
        if not names:
            return instance
        values = tuple(instance[name] for name in names)
        return values[0] if len(values) == 1 else values

    def wait(self, path, *states):
        """Waits until the job is in one of the states and returns the instance."""
        states = set(states or FINAL)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            instance = self.conn.GetInstance(path)
            if instance["JobState"] in states:
                return instance
            if time.monotonic() > deadline or instance["JobState"] in FINAL:
                self.fail(
                    f"expected JobState in {states}, got {instance['JobState']}: "
                    f"{instance['JobStatus']!r} {instance['ErrorDescription']!r}"
                )
            time.sleep(0.02)

    def wait_until(self, what, condition):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                self.fail(f"waited {DEADLINE_SECONDS} s in vain until {what}")
            time.sleep(0.02)

    def request(self, path, state, timeout=None):
        arguments = {"RequestedState": pywbem.Uint16(state)}
        if timeout is not None:
            arguments["TimeoutPeriod"] = timeout
        return self.conn.InvokeMethod("RequestStateChange", path, **arguments)[0]

    def log(self, path, stream=1):
        """All that the job wrote to a stream."""
        import base64

        text, offset = b"", 0
        while True:
            code, out = self.conn.InvokeMethod(
                "GetLog", path, Stream=pywbem.Uint16(stream), Offset=pywbem.Uint64(offset)
            )
            self.assertEqual(code, 0)
            text += base64.b64decode(out.get("Data") or "")
            if out["End"] or out["NextOffset"] == offset:
                return text
            offset = out["NextOffset"]

    def assert_status(self, status, call, *arguments, containing="", **named):
        """The call fails with the CIM status, and the description holds the text."""
        with self.assertRaises(pywbem.CIMError) as caught:
            call(*arguments, **named)
        error = caught.exception
        self.assertEqual(error.status_code, status, f"{error.status_code_name}: {error.status_description}")
        self.assertIn(containing, error.status_description)
        return error
