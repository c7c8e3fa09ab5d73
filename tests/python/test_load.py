"""Many jobs at once, and other listeners: everything that happens is told, in order and once."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest

import pywbem

from own import *  # noqa: F403

# How many jobs are submitted at once; pywbem's listener takes its time for each indication.
JOBS = int(os.environ.get("JOBWRIGHT_MANY_JOBS", "150"))
JOBS_FOR_PYWBEM = int(os.environ.get("JOBWRIGHT_MANY_JOBS", "50"))
CLIENTS = 8
EVERYTHING = "SELECT * FROM CIM_Indication"


def plain(instance):
    """An instance as `jobwright listen` prints it."""
    properties = {
        name: plain(value) if isinstance(value, pywbem.CIMInstance) else value
        for name, value in instance.items()
    }
    return {"class": instance.classname, "properties": properties}


class Account:
    """What was told of each job and of each run, from one indication to the next."""

    def __init__(self, case):
        self.case = case
        self.states = {}
        self.generations = {}
        self.runs = {}
        self.last = {}
        self.completed = set()

    def enter(self, told):
        properties = told["properties"]
        context, number = properties["SequenceContext"], properties["SequenceNumber"]
        expected = self.last.get(context, -1) + 1
        self.case.assertEqual(number, expected, f"a gap, or a repetition, in {context}")
        self.last[context] = number
        source = (properties.get("SourceInstance") or {}).get("properties")
        if source is None:
            return
        kind = properties["SourceInstance"]["class"]
        previous = (properties.get("PreviousInstance") or {}).get("properties", {})
        if kind == "JW_Job":
            job = source["InstanceID"]
            if told["class"] == "CIM_InstCreation":
                self.case.assertNotIn(job, self.states, "created twice")
            else:
                self.case.assertEqual(previous["JobState"], self.states[job], job)
                self.case.assertEqual(previous["Generation"], self.generations[job], job)
            self.states[job] = source["JobState"]
            self.generations[job] = source["Generation"]
            if source["JobState"] == COMPLETED:
                self.completed.add(job)
        elif kind == "JW_JobRun":
            self.runs.setdefault(source["JobID"], []).append((told["class"], source["ExitStatus"]))


class Load(Own):
    def listener(self):
        command = [BINARY, "listen", "--address", "127.0.0.1:0", "--format", "json"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.addCleanup(end, process)
        return Lines(process), process.stderr.readline().split()[2]

    def submit(self, count, failures):
        conn = pywbem.WBEMConnection(
            self.conn.url, self.conn.creds, default_namespace=NAMESPACE, timeout=600
        )
        values = {"Name": "many", "Command": ["/bin/true"]}
        try:
            for _ in range(count):
                conn.CreateInstance(pywbem.CIMInstance("JW_Job", values))
        except pywbem.Error as error:
            failures.append(error)

    def test_many_jobs_at_once_are_told_to_a_subscriber_of_everything_without_a_gap(self):
        self.server()
        self.quick()
        lines, url = self.listener()
        subscribe(self.conn, url, EVERYTHING)
        self.assert_all_is_told(JOBS, lambda what: json.loads(lines.next(what)))

    def test_many_jobs_at_once_are_told_to_pywbems_listener_without_a_gap(self):
        # Jobs may end faster than this listener takes what is told of them: all of that has room.
        self.server(indication_queue_limit=str(100 * JOBS_FOR_PYWBEM))
        self.quick()
        with Listener() as listener:
            subscribe_by_manager(self.conn, listener.url, EVERYTHING)
            self.assert_all_is_told(JOBS_FOR_PYWBEM, lambda what: plain(listener.next(what)))

    def assert_all_is_told(self, count, heard):
        """Jobs are submitted by several clients at once, and `heard` gives what is told of them."""
        failures = []
        shares = [count // CLIENTS + (n < count % CLIENTS) for n in range(CLIENTS)]
        clients = [threading.Thread(target=self.submit, args=(n, failures)) for n in shares]
        for client in clients:
            client.start()
        account = Account(self)
        ended = 0
        while ended < count or len(account.completed) < count:
            told = heard("the end of every job")
            account.enter(told)
            source = told["properties"].get("SourceInstance") or {}
            is_end = source.get("class") == "JW_JobRun" and told["class"] == "CIM_InstModification"
            ended += is_end
        for client in clients:
            client.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(account.states), count)
        self.assertEqual(len(account.runs), count)
        whole = [("CIM_InstCreation", None), ("CIM_InstModification", 0)]
        for job, told in account.runs.items():
            self.assertEqual(told, whole, job)
        self.assertEqual(len(account.last), 1, "one context from start to stop")
        self.wait_until("the queue is empty", lambda: not self.statistics()["QueuedIndications"])
        shown = self.statistics()
        self.assertEqual(shown["DroppedIndications"], 0)
        while sum(account.last.values()) + 1 < shown["DeliveredIndications"]:
            account.enter(heard("everything that was delivered"))
        self.assertEqual(sum(account.last.values()) + 1, shown["DeliveredIndications"])


class Pywbemlistener:
    """pywbem's command `pywbemlistener`, which appends what it receives to a file."""

    PROGRAM = os.path.join(os.path.dirname(sys.executable), "pywbemlistener")
    FORMAT = "\t".join(
        ["{i.classname}", "{i[SequenceContext]}", "{i[SequenceNumber]}"]
        + [f"{{i[SourceInstance][{name}]}}" for name in ("JobState", "PercentComplete")]
    )

    def __init__(self, case):
        self.case = case
        folder = tempfile.TemporaryDirectory(prefix="jobwright-test-")
        case.addCleanup(folder.cleanup)
        self.folder, self.told = folder.name, os.path.join(folder.name, "told")
        self.starts = 0
        self.port = free_port()
        # By its name it is found among all that run on the machine.
        self.name = f"jobwright-{os.getpid()}-{self.port}"
        self.log = os.path.join(folder.name, f"pywbemlistener_{self.name}.log")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [self.PROGRAM, "--verbose", "--logdir", self.folder, "run", self.name]
        command += ["--scheme", "http"]
        command += ["--port", str(self.port), "--bind-addr", "127.0.0.1"]
        command += ["--indi-file", self.told, "--indi-format", self.FORMAT]
        self.starts += 1
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.case.addCleanup(end, self.process)
        self.case.wait_until("pywbemlistener listens", self.listens)

    def listens(self):
        """It listens before it knows where to write to, and loses what comes in between."""
        self.case.assertIsNone(self.process.poll(), "pywbemlistener ended")
        if not os.path.exists(self.log):
            return False
        with open(self.log, encoding="utf-8") as log:
            return log.read().count(f"to file {self.told} with") == self.starts

    def stop(self):
        stop = subprocess.Popen([self.PROGRAM, "stop", self.name], stdout=subprocess.DEVNULL)
        self.case.addCleanup(end, stop)
        # The listener looks up from its sleep at least once a minute; it notices a signal at once
        # unless a thread that is just being made for an indication takes it.
        self.process.wait(60 + DEADLINE_SECONDS)
        self.case.assertEqual(stop.wait(DEADLINE_SECONDS), 0)

    def received(self):
        """What it has written so far, with the properties that every test looks at."""
        if not os.path.exists(self.told):
            return []
        with open(self.told, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file if line.endswith("\n")]
        names = ("SequenceNumber", "JobState", "PercentComplete")
        return [
            {"class": kind, "SequenceContext": context, **dict(zip(names, map(int, values)))}
            for kind, context, *values in lines
        ]

    def percents(self):
        return [told["PercentComplete"] for told in self.received()]


class Other(Own):
    def test_further_names_of_the_interop_namespace_can_be_turned_on(self):
        usual = self.server()
        foreign = pywbem.WBEMConnection(usual.url, usual.conn.creds, "root/PG_InterOp", timeout=60)
        self.assert_status(
            pywbem.CIM_ERR_INVALID_NAMESPACE, foreign.EnumerateInstances, "CIM_Namespace"
        )
        server = self.server(interop_aliases="root/interop,root/PG_InterOp")
        made = []
        for name in ("interop", "root/interop", "root/pg_interop", "root/PG_InterOp"):
            conn = pywbem.WBEMConnection(server.url, server.conn.creds, name, timeout=60)
            self.assertEqual(len(conn.EnumerateInstances("CIM_ObjectManager")), 1, name)
            names = {one["Name"] for one in conn.EnumerateInstances("CIM_Namespace")}
            self.assertEqual(names, {"interop", "root/cimv2"}, "one namespace, however it is called")
            values = {"Query": LIFE, "QueryLanguage": "DMTF:CQL", "Name": f"by {name}"}
            path = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationFilter", values))
            made.append(path.keybindings)
        home = connection_to_interop(server.conn)
        found = [path.keybindings for path in home.EnumerateInstanceNames("CIM_IndicationFilter")]
        for keys in made:
            self.assertIn(keys, found)

    def test_pywbemlistener_receives_the_life_of_a_job(self):
        self.server()
        self.quick()
        listener = Pywbemlistener(self)
        listener.start()
        subscribe(self.conn, listener.url, LIFE)
        self.whole_life()
        self.assert_whole_life(listener)

    def test_pywbemlistener_misses_nothing_while_it_is_stopped_and_started_again(self):
        self.server()
        self.quick()
        listener = Pywbemlistener(self)
        listener.start()
        subscribe_by_manager(self.conn, listener.url, LIFE)
        fifo = os.path.join(os.environ["JOBWRIGHT_TEST_DIR"], "percents")
        os.mkfifo(fifo)
        script = 'while read percent; do echo "$percent" >&$JOBWRIGHT_PROGRESS_FD; done < "$0"'
        path = self.create("/bin/sh", "-c", script, fifo)
        with open(fifo, "w", encoding="ascii", buffering=1) as steps:
            for last in (30, 60, 90):
                # Some of these are under way when the listener ends, the others find nobody.
                steps.writelines(f"{percent}\n" for percent in range(last - 29, last - 10))
                listener.stop()
                steps.writelines(f"{percent}\n" for percent in range(last - 10, last + 1))
                self.wait_until("one found nobody", lambda: self.statistics()["LastError"])
                self.assertNotIn(last, listener.percents())
                # Nothing is to come before it is ready.
                self.settle(DeliveryRetryInterval=pywbem.Uint32(3600))
                listener.start()
                self.quick()
                self.wait_until("it is told", lambda: last in listener.percents())  # noqa: B023
        self.wait(path, COMPLETED)
        self.conn.DeleteInstance(path)
        self.assert_whole_life(listener)
        self.assertEqual(listener.percents(), sorted(listener.percents()))

    def assert_whole_life(self, listener):
        """All of a job's life was received, each event once and in order, and nothing else."""

        def is_over():
            return any(told["class"] == "CIM_InstDeletion" for told in listener.received())

        self.wait_until("the deletion was received", is_over)
        received = listener.received()
        kinds = [told["class"] for told in received]
        self.assertEqual(kinds[0], "CIM_InstCreation")
        self.assertEqual(set(kinds[1:-1]), {"CIM_InstModification"})
        context = self.assert_gapless(received)
        self.assertEqual([found for _, found in context], [list(range(len(received)))])
        states = [told["JobState"] for told in received]
        self.assertEqual((states[0], states[-1]), (NEW, COMPLETED))
        self.assertIn(RUNNING, states)
        self.wait_until("the queue is empty", lambda: not self.statistics()["QueuedIndications"])
        shown = self.statistics()
        self.assertEqual(
            (shown["DeliveredIndications"], shown["DroppedIndications"]), (len(received), 0)
        )


if __name__ == "__main__":
    unittest.main()
