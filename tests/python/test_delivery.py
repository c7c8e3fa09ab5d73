"""Indications through failures: no listener, a listener that refuses, a server that is killed.

Where the failure is all that a test is about, pywbem's WBEMSubscriptionManager has subscribed, as
its users do.
"""

import http.server
import json
import os
import queue
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import pywbem

from own import *  # noqa: F403


class Delivery(Own):
    def test_what_happened_while_the_listener_was_down_is_delivered_in_order(self):
        self.server()
        self.quick()
        port = free_port()
        subscribe_by_manager(self.conn, f"http://127.0.0.1:{port}", LIFE)
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
            subscribe_by_manager(self.conn, listener.url, LIFE)
            for _ in range(3):
                self.whole_life()
            self.wait_until("it has refused one", lambda: self.statistics()["LastError"])
            listener.gate.set()
            told = []
            for _ in range(3):
                told += listener.until(is_gone, "the end of a job's life")
            self.assert_connected(told)
            self.assertEqual([number for _, number in numbers(told)], list(range(len(told))))

    def test_a_listener_that_never_answers_delays_nobody(self):
        self.server()
        with socket.socket() as silent, Listener() as listener:
            # Connections come about, and nothing is ever read from them.
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            subscribe(self.conn, f"http://127.0.0.1:{silent.getsockname()[1]}", LIFE)
            subscribe(self.conn, listener.url, LIFE)
            for _ in range(3):
                self.whole_life()
                told = listener.until(is_gone, "the end of a job's life")
                self.assertEqual(told[0].classname, "CIM_InstCreation")
            shown = connection_to_interop(self.conn).EnumerateInstances("JW_DestinationStatistics")
            waiting = sorted(one["QueuedIndications"] for one in shown)
            self.assertEqual(sorted(one["DeliveredIndications"] for one in shown)[0], 0)
            self.assertGreater(waiting[-1], 10, "all of it waits for the one that is silent")

    def test_nothing_is_missing_after_the_server_was_killed(self):
        server = self.server()
        self.quick()
        port = free_port()
        made = subscribe_by_manager(self.conn, f"http://127.0.0.1:{port}", LIFE)
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
        self.assert_manager_removes_its_own(made)

    def test_killed_again_and_again_under_load_nothing_is_missing_or_out_of_order(self):
        server = self.server()
        self.quick()
        jobs = []
        with Listener() as listener:
            made = subscribe_by_manager(self.conn, listener.url, LIFE, owned=False)
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
        self.assert_manager_removes_permanent(made)

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

    def test_listeners_under_tls_are_believed_only_when_somebody_vouches_for_them(self):
        server = self.server()
        server.stop()
        own = {"certfile": f"{server.state}/tls.crt", "keyfile": f"{server.state}/tls.key"}
        with Listener(scheme="https", **own) as listener:
            server.start()
            self.conn = server.conn
            self.quick()
            subscribe(self.conn, listener.url, LIFE)
            self.whole_life()
            self.wait_until("nobody vouches", lambda: self.statistics()["LastError"])
            self.assertIn("secure", self.statistics()["LastError"])
            server.stop()
            server.variables["JOBWRIGHT_INDICATION_CA_FILE"] = own["certfile"]
            server.start()
            self.conn = server.conn
            told = listener.until(is_gone, "the end of the job's life")
            self.assert_connected(told)

    def test_trouble_of_the_store_is_told_when_it_is_over(self):
        server = self.server()
        with Listener() as listener:
            query = "SELECT * FROM CIM_AlertIndication WHERE MessageID = 'JW2003'"
            subscribe(self.conn, listener.url, query)
            pid = server.process.pid
            usual = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            self.assert_status(pywbem.CIM_ERR_FAILED, self.create, "/bin/true", Hold=True)
            self.assertTrue(listener.taken.empty(), "nothing can be told that cannot be written")
            resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
            alert = listener.next("the alert of the store")
            self.assertEqual((alert["AlertType"], alert["PerceivedSeverity"]), (4, 6))
            self.assertIn("CIM_ComputerSystem", alert["AlertingManagedElement"])
            self.assertIn("the database", alert["Message"])
            self.whole_life()

    def test_webhooks_get_json(self):
        self.server()
        posted = queue.Queue()

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.put((self.headers["Content-Type"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Hook) as hook:
            threading.Thread(target=hook.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{hook.server_port}/hook"
            subscribe(self.conn, url, LIFE, kind="JW_ListenerDestinationWebhook")
            path = self.create("/bin/true")
            kind, first = posted.get(timeout=DEADLINE_SECONDS)
            hook.shutdown()
        self.assertEqual(kind, "application/json")
        self.assertEqual(first["class"], "CIM_InstCreation")
        self.assertEqual(first["properties"]["SequenceNumber"], 0)
        source = first["properties"]["SourceInstance"]["properties"]
        self.assertEqual(source["InstanceID"], path["InstanceID"])

    def test_system_logs_get_messages(self):
        self.server()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
            log.bind(("127.0.0.1", 0))
            log.settimeout(DEADLINE_SECONDS)
            url = f"syslog://127.0.0.1:{log.getsockname()[1]}"
            subscribe(self.conn, url, LIFE, kind="JW_ListenerDestinationSyslog")
            path = self.create("/bin/true")
            message = log.recv(65536).decode()
        self.assertRegex(message, r"^<30>1 \S+ - jobwright - CIM_InstCreation - \{")
        self.assertIn(path["InstanceID"], message)


class Command(Own):
    """`jobwright subscribe`."""

    def command(self, server, *arguments):
        command = [BINARY, "subscribe", "--state-dir", server.state, "--format", "json"]
        process = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.addCleanup(end, process)
        first = process.stderr.readline()
        self.assertIn("subscribed", first)
        return process

    def left(self):
        conn = connection_to_interop(self.conn)
        names = ("CIM_IndicationSubscription", "CIM_ListenerDestination")
        return [path for name in names for path in conn.EnumerateInstanceNames(name)]

    def listener(self, *arguments):
        """`jobwright listen` with the first line it says."""
        command = [BINARY, "listen", "--address", "127.0.0.1:0", *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.addCleanup(end, process)
        first = process.stderr.readline()
        self.assertIn("listening on http", first)
        return process, first

    def printed(self, process):
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 0, err)
        return out

    def test_listen_prints_lines_json_and_mof(self):
        self.server()
        created = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA JW_Job"
        listeners = {}
        for form in ("text", "json", "mof"):
            listeners[form], first = self.listener("-n", "1", "--format", form)
            subscribe(self.conn, first.split()[2], created)
        path = self.create("/bin/true", Name="seen")
        told = path["InstanceID"]
        line = self.printed(listeners["text"])
        self.assertEqual(line.count("\n"), 1)
        self.assertRegex(line, rf'^\S+Z CIM_InstCreation root/cimv2:JW_Job.InstanceID="{told}"')
        shown = json.loads(self.printed(listeners["json"]))
        self.assertEqual(shown["class"], "CIM_InstCreation")
        self.assertEqual(shown["properties"]["SourceInstance"]["properties"]["Name"], "seen")
        mof = self.printed(listeners["mof"])
        self.assertIn("instance of CIM_InstCreation {", mof)
        self.assertIn("instance of JW_Job {", mof)

    def test_listen_prints_what_it_took_before_it_was_told_to_end(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process, first = self.listener("--format", "json")
            # Nobody reads its output for now: what does not fit the pipe waits in its queue.
            filling = "x" * 1000
            count = 300
            for sequence in range(count):
                self.export(first.split()[2], sequence, filling)
            process.send_signal(number)
            lines = self.printed(process).splitlines()
            told = [json.loads(line)["properties"]["SequenceNumber"] for line in lines]
            self.assertEqual(told, list(range(count)))

    def export(self, url, sequence, filling):
        body = (
            '<?xml version="1.0" encoding="utf-8"?><CIM CIMVERSION="2.0" DTDVERSION="2.0">'
            '<MESSAGE ID="1" PROTOCOLVERSION="1.0"><SIMPLEEXPREQ>'
            '<EXPMETHODCALL NAME="ExportIndication"><EXPPARAMVALUE NAME="NewIndication">'
            '<INSTANCE CLASSNAME="CIM_InstCreation">'
            f'<PROPERTY NAME="SequenceNumber" TYPE="sint64"><VALUE>{sequence}</VALUE></PROPERTY>'
            f'<PROPERTY NAME="Filling" TYPE="string"><VALUE>{filling}</VALUE></PROPERTY>'
            "</INSTANCE></EXPPARAMVALUE></EXPMETHODCALL></SIMPLEEXPREQ></MESSAGE></CIM>"
        )
        headers = {
            "Content-Type": 'application/xml; charset="utf-8"',
            "CIMExport": "MethodRequest",
            "CIMExportMethod": "ExportIndication",
        }
        request = urllib.request.Request(url, body.encode(), headers)
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            self.assertNotIn(b"<ERROR", answer.read())

    def test_listen_speaks_tls_with_a_certificate_of_its_own_or_a_given_one(self):
        with tempfile.TemporaryDirectory(prefix="jobwright-test-") as own:
            os.chmod(own, 0o700)
            made = ("--https", "--state-dir", own)
            given = ("--https", "--certificate", f"{own}/tls.crt", "--key", f"{own}/tls.key")
            first, said = self.listener("-n", "1", *made)
            self.assertIn(f"{own}/tls.crt", said)
            second, also = self.listener("-n", "1", *given)
            server = self.server(indication_ca_file=f"{own}/tls.crt")
            for line in (said, also):
                self.assertTrue(line.startswith("listening on https://127.0.0.1:"), line)
                subscribe(self.conn, line.split()[2], LIFE)
            self.create("/bin/true")
            for process in (first, second):
                self.assertIn("CIM_InstCreation", self.printed(process))
            server.stop()
        alone = subprocess.run(
            [BINARY, "listen", "--https", "--certificate", "/nowhere"],
            capture_output=True, check=False, text=True,
        )
        self.assertEqual(alone.returncode, 2, "a certificate comes with its key")
        self.assertIn("--key", alone.stderr)

    def test_subscribe_prints_events_and_takes_everything_back(self):
        server = self.server()
        process = self.command(server, "-n", "2")
        self.assertEqual(len(self.left()), 2)
        self.create("/bin/true")
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 0, err)
        told = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([one["class"] for one in told][0], "CIM_InstCreation")
        self.assertEqual(len(told), 2)
        self.assertEqual(self.left(), [])

    def test_a_subscription_goes_when_its_command_is_told_to_end(self):
        server = self.server()
        process = self.command(server)
        self.assertEqual(len(self.left()), 2)
        process.terminate()
        process.communicate(timeout=DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.left(), [])

    def relay(self, server, held, passes):
        """A server in between that answers the method `held` when it is let go, if it passes it on at
        all; its URL, what says that it was asked, and what lets it go."""
        asked, go = threading.Event(), threading.Event()

        class Between(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_held = self.headers.get("CIMMethod") == held
                if is_held and not passes:
                    asked.set()
                    go.wait(DEADLINE_SECONDS)
                    return
                request = urllib.request.Request(server.url + self.path, body, dict(self.headers))
                with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
                    told = answer.read()
                if is_held:
                    asked.set()
                    go.wait(DEADLINE_SECONDS)
                self.send_response(200)
                self.send_header("Content-Type", "application/xml")
                self.send_header("CIMOperation", "MethodResponse")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_):
                pass

        between = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
        threading.Thread(target=between.serve_forever, daemon=True).start()
        self.addCleanup(between.server_close)
        self.addCleanup(between.shutdown)
        self.addCleanup(go.set)
        return f"http://127.0.0.1:{between.server_address[1]}", asked, go

    def test_what_was_made_while_it_was_interrupted_is_taken_back_too(self):
        server = self.server()
        url, asked, go = self.relay(server, "CreateInstance", passes=True)
        command = [BINARY, "subscribe", "--state-dir", server.state, "--url", url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(end, process)
        self.assertTrue(asked.wait(DEADLINE_SECONDS), "it never asked for an instance")
        conn = connection_to_interop(server.conn)
        self.assertEqual(len(conn.EnumerateInstanceNames("CIM_ListenerDestination")), 1)
        process.send_signal(signal.SIGTERM)
        go.set()
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(conn.EnumerateInstanceNames("CIM_ListenerDestination"), [])
        self.assertEqual(conn.EnumerateInstanceNames("CIM_IndicationSubscription"), [])

    def test_a_second_signal_ends_what_the_server_keeps_waiting(self):
        server = self.server()
        url, asked, _ = self.relay(server, "DeleteInstance", passes=False)
        process = self.command(server, "--url", url)
        process.send_signal(signal.SIGINT)
        self.assertTrue(asked.wait(DEADLINE_SECONDS), "it never took anything back")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
        self.assertEqual(process.returncode, 1, errors)
        for left in ("CIM_IndicationSubscription", "CIM_IndicationFilter", "ListenerDestination"):
            self.assertIn(left, errors)


if __name__ == "__main__":
    unittest.main()
