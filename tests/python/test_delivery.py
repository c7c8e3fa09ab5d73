"""Indications through failures: no listener, a listener that refuses, a server that is killed."""

import os
import signal
import subprocess
import tempfile
import time
import unittest

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


class Delivery(EventCase):
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

    def test_what_happened_while_the_listener_was_down_is_delivered_in_order(self):
        self.server()
        self.quick()
        port = free_port()
        subscribe(self.conn, f"http://127.0.0.1:{port}", LIFE)
        self.whole_life()
        self.wait_until("a delivery has failed", lambda: self.statistics()["LastError"])
        waiting = self.statistics()["QueuedIndications"]
        self.assertGreaterEqual(waiting, 4)
        with Listener(port) as listener:
            told = listener.until(is_gone, "the end of the job's life")
        self.assertEqual(len(told), waiting)
        self.assert_connected(told)
        self.assertEqual([number for _, number in numbers(told)], list(range(len(told))))
        self.wait_until("the queue is empty", lambda: not self.statistics()["QueuedIndications"])
        shown = self.statistics()
        self.assertEqual(
            (shown["DeliveredIndications"], shown["DroppedIndications"], shown["LastError"]),
            (waiting, 0, None),
        )

    def test_a_listener_that_answers_errors_gets_everything_once_it_takes_it(self):
        self.server()
        self.quick()
        with Listener(max_ind_queue_size=1) as listener:
            listener.gate.clear()
            subscribe(self.conn, listener.url, LIFE)
            for _ in range(3):
                self.whole_life()
            self.wait_until("it has refused one", lambda: self.statistics()["LastError"])
            listener.gate.set()
            told = []
            for _ in range(3):
                told += listener.until(is_gone, "the end of a job's life")
            self.assert_connected(told)
            self.assertEqual([number for _, number in numbers(told)], list(range(len(told))))

    def test_nothing_is_missing_after_the_server_was_killed(self):
        server = self.server()
        self.quick()
        port = free_port()
        subscribe(self.conn, f"http://127.0.0.1:{port}", LIFE)
        path = self.create("/bin/sleep", "1000")
        self.wait(path, RUNNING)
        server.kill()
        server.start()
        self.conn = server.conn
        with Listener(port) as listener:
            self.conn.InvokeMethod("KillJob", path)
            self.conn.DeleteInstance(path)
            told = listener.until(is_gone, "the end of the job's life")
        # What was sent and not recorded before the kill may come again, with the same numbers.
        told = once(told)
        self.assert_connected(told)
        self.assertEqual(told[0].classname, "CIM_InstCreation")
        contexts = self.assert_gapless(told)
        self.assertEqual(len(contexts), 2)
        self.assertEqual([found[0] for _, found in contexts], [0, 0])

    def test_killed_again_and_again_under_load_nothing_is_missing_or_out_of_order(self):
        server = self.server()
        self.quick()
        jobs = []
        with Listener() as listener:
            subscribe(self.conn, listener.url, LIFE)
            for _ in range(4):
                jobs += [self.create("/bin/true")["InstanceID"] for _ in range(25)]
                server.kill()
                server.start()
                self.conn = server.conn
            for job in jobs:
                path = pywbem.CIMInstanceName("JW_Job", {"InstanceID": job}, namespace=NAMESPACE)
                self.wait(path)
            for job in jobs:
                path = pywbem.CIMInstanceName("JW_Job", {"InstanceID": job}, namespace=NAMESPACE)
                self.conn.DeleteInstance(path)
            told, left = [], set(jobs)
            while left:
                indication = listener.next("the deletion of every job")
                told.append(indication)
                if is_gone(indication):
                    left.discard(indication["SourceInstance"]["InstanceID"])
        told = once(told)
        self.assert_gapless(told)
        states = self.assert_connected(told)
        self.assertEqual(set(states), set(jobs))

    def test_what_cannot_be_delivered_is_given_up_counted_and_costs_what_the_policy_says(self):
        self.server()
        self.settle(DeliveryRetryAttempts=pywbem.Uint16(0), DeliveryRetryInterval=pywbem.Uint32(1))
        url = f"http://127.0.0.1:{free_port()}"
        conn = connection_to_interop(self.conn)
        left = {}
        for policy in (2, 3, 4):
            left[policy] = subscribe(
                self.conn, url, LIFE, OnFatalErrorPolicy=pywbem.Uint16(policy)
            )[-1]
        self.wait(self.create("/bin/true"))

        def is_removed():
            names = conn.EnumerateInstanceNames("CIM_IndicationSubscription")
            return left[4].keybindings not in [name.keybindings for name in names]

        def is_disabled():
            return conn.GetInstance(left[3])["SubscriptionState"] == 4

        self.wait_until("4 has removed its subscription", is_removed)
        self.wait_until("3 has disabled its subscription", is_disabled)
        self.assertEqual(conn.GetInstance(left[2])["SubscriptionState"], 2)
        dropped = [
            shown["DroppedIndications"]
            for shown in conn.EnumerateInstances("JW_DestinationStatistics")
        ]
        self.assertTrue(all(count > 0 for count in dropped), dropped)

    def test_a_full_queue_drops_its_oldest(self):
        self.server(indication_queue_limit="3")
        self.quick()
        port = free_port()
        subscribe(self.conn, f"http://127.0.0.1:{port}", LIFE)
        for _ in range(2):
            self.whole_life()
        shown = self.statistics()
        self.assertEqual(shown["QueuedIndications"], 3)
        self.assertGreater(shown["DroppedIndications"], 0)
        with Listener(port) as listener:
            told = listener.until(is_gone, "the last of the life of the second job")
        self.assertGreaterEqual(len(told), 2)
        last = shown["DroppedIndications"] + 2
        self.assertEqual(told[-1]["SequenceNumber"], last, "a number is told for what was dropped")

    def test_settings_and_subscriptions_are_there_after_a_restart(self):
        server = self.server()
        self.settle(DeliveryRetryInterval=pywbem.Uint32(7), FilterCreationEnabled=False)
        with self.assertRaises(pywbem.CIMError) as caught:
            subscribe(self.conn, "http://127.0.0.1:9", LIFE)
        self.assertEqual(caught.exception.status_code, pywbem.CIM_ERR_NOT_SUPPORTED)
        self.settle(FilterCreationEnabled=True)
        made = subscribe(self.conn, "http://127.0.0.1:9", LIFE, SubscriptionInfo="kept")
        server.stop()
        server.start()
        conn = connection_to_interop(server.conn)
        service = conn.EnumerateInstances("CIM_IndicationService")[0]
        self.assertEqual(service["DeliveryRetryInterval"], 7)
        self.assertEqual(conn.GetInstance(made[-1])["SubscriptionInfo"], "kept")
        for value in (pywbem.Uint32(0), pywbem.Uint32(2**32 - 1)):
            change = pywbem.CIMInstance(
                "JW_IndicationService", {"DeliveryRetryInterval": value}, path=service.path
            )
            if value:
                conn.ModifyInstance(change)
            else:
                self.assert_status(pywbem.CIM_ERR_INVALID_PARAMETER, conn.ModifyInstance, change)


def once(indications):
    """The indications without repetitions of the same number."""
    seen, found = set(), []
    for indication in indications:
        number = (indication["SequenceContext"], indication["SequenceNumber"])
        if number not in seen:
            seen.add(number)
            found.append(indication)
    return found


if __name__ == "__main__":
    unittest.main()
