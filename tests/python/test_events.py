"""Indications of jobs, taken by pywbem's listener."""

import datetime
import itertools
import os
import unittest

import pywbem

from events import *  # noqa: F403

STATE_CHANGED = (
    "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob AND "
    "SourceInstance.CIM_ConcreteJob::JobState <> PreviousInstance.CIM_ConcreteJob::JobState"
)
PERCENT_CHANGED = STATE_CHANGED.replace("JobState", "PercentComplete")
FAILED_JOBS = (
    STATE_CHANGED + " AND ANY SourceInstance.CIM_ConcreteJob::OperationalStatus[*] = 17 AND "
    "ANY SourceInstance.CIM_ConcreteJob::OperationalStatus[*] = 6"
)


def moment(indication):
    return indication["IndicationTime"].datetime


class Life(EventCase):
    def test_a_job_is_told_from_its_creation_to_its_end_in_order(self):
        with Listener() as listener:
            self.subscribe(listener, LIFE)
            path = self.create("/bin/sh", "-c", "exit 3", Environment=["SECRET=1"])
            self.wait(path)
            self.conn.DeleteInstance(path)
            told = listener.until(is_gone, "the deletion of the job")
            self.assertEqual(told[0].classname, "CIM_InstCreation")
            self.assertEqual(told[0]["SourceInstance"]["JobState"], NEW)
            self.assertEqual(told[-1]["SourceInstance"]["JobState"], EXCEPTION)
            self.assert_connected(told)
            self.assertEqual([number for _, number in numbers(told)], list(range(len(told))))
            self.assertEqual(len({context for context, _ in numbers(told)}), 1)
            for indication in told:
                source = indication["SourceInstance"]
                self.assertEqual(source["InstanceID"], path["InstanceID"])
                self.assertIn(path["InstanceID"], indication["SourceInstanceModelPath"])
                self.assertIsNone(source.get("Environment"), "what a job runs is not told")
                self.assertTrue(indication["IndicationIdentifier"])
                self.assertTrue(indication["IndicationFilterName"])
            changed = [i for i in told if i.classname == "CIM_InstModification"]
            self.assertTrue(all("JobState" in i["ChangedPropertyNames"] or i["ChangedPropertyNames"] for i in changed))
            self.assertEqual(len({i["IndicationIdentifier"] for i in told}), len(told))

    def test_a_filter_lets_through_what_it_selects(self):
        with Listener() as states, Listener() as percents, Listener() as failures:
            self.subscribe(states, STATE_CHANGED)
            self.subscribe(percents, PERCENT_CHANGED)
            self.subscribe(failures, FAILED_JOBS)
            fifo = os.path.join(os.environ["JOBWRIGHT_TEST_DIR"], "percent")
            os.mkfifo(fifo)
            script = 'echo 42 >&$JOBWRIGHT_PROGRESS_FD; read x < "$0"; exit 1'
            path = self.create("/bin/sh", "-c", script, fifo)
            told = percents.next("42 percent")
            self.assertEqual(told["SourceInstance"]["PercentComplete"], 42)
            self.assertEqual(told["PreviousInstance"]["PercentComplete"], 0)
            self.assertEqual(told["ChangedPropertyNames"].count("PercentComplete"), 1)
            with open(fifo, "w", encoding="ascii") as go:
                go.write("go\n")
            is_over = lambda i: i["SourceInstance"]["JobState"] in FINAL  # noqa: E731
            seen = [i["SourceInstance"]["JobState"] for i in states.until(is_over, "the end")]
            self.assertEqual(seen[-2:], [RUNNING, EXCEPTION])
            failed = failures.next("the failure")
            self.assertEqual(failed["SourceInstance"]["InstanceID"], path["InstanceID"])
            self.assertTrue(failures.taken.empty())

    def test_runs_queues_and_schedules_are_told_too(self):
        queries = [
            f"SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA {name}"
            for name in ("JW_JobRun", "JW_JobQueue", "JW_JobSchedule")
        ]
        with Listener() as listener:
            self.subscribe(listener, *queries)
            self.wait(self.create("/bin/true"))
            run = listener.until(
                lambda i: i.classname == "CIM_InstModification", "the end of the run"
            )
            self.assertEqual([i.classname for i in run], ["CIM_InstCreation", "CIM_InstModification"])
            self.assertIsNone(run[0]["SourceInstance"]["ExitStatus"])
            self.assertEqual(run[1]["SourceInstance"]["ExitStatus"], 0)
            new = {"Name": "told", "MaxJobsOnQueue": pywbem.Uint32(3)}
            path = self.conn.CreateInstance(pywbem.CIMInstance("JW_JobQueue", new))
            self.assertEqual(listener.next()["SourceInstance"]["MaxJobsOnQueue"], 3)
            self.conn.DeleteInstance(path)
            self.assertEqual(listener.next().classname, "CIM_InstDeletion")

    def test_failed_jobs_and_full_queues_raise_alerts(self):
        with Listener() as listener:
            self.subscribe(listener, "SELECT * FROM CIM_AlertIndication WHERE PerceivedSeverity > 2")
            path = self.create("/bin/sh", "-c", "exit 9")
            self.wait(path, EXCEPTION)
            alert = listener.next("the alert of the failure")
            self.assertEqual(alert.classname, "CIM_AlertIndication")
            self.assertEqual((alert["AlertType"], alert["PerceivedSeverity"]), (4, 5))
            self.assertIn(path["InstanceID"], alert["AlertingManagedElement"])
            self.assertIn("9", alert["Message"])
            new = {"Name": "narrow", "MaxJobsOnQueue": pywbem.Uint32(2)}
            narrow = self.conn.CreateInstance(pywbem.CIMInstance("JW_JobQueue", new))
            jobs = [self.create("/bin/true", QueueName="narrow", Hold=True) for _ in range(2)]
            alert = listener.next("the alert of the queue")
            self.assertIn("narrow", alert["AlertingManagedElement"])
            self.assertEqual(alert["ProbableCause"], 40)
            for job in jobs:
                self.request(job, KILL)
                self.wait(job, KILLED)
                self.conn.DeleteInstance(job)
            self.conn.DeleteInstance(narrow)
            self.assertTrue(listener.taken.empty(), "what a client asked for is no alert")

    def test_a_time_that_was_missed_raises_an_alert(self):
        with Listener() as listener:
            self.subscribe(listener, "SELECT * FROM CIM_AlertIndication WHERE MessageID = 'JW2001'")
            now = datetime.datetime.now(datetime.timezone.utc)
            at = now + datetime.timedelta(seconds=3)
            if at.date() != now.date():
                self.skipTest("it is midnight")
            since = datetime.timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
            # The job is still running when its next time comes, and skips it.
            path = self.create(
                "/bin/sleep",
                "600",
                RunStartInterval=pywbem.CIMDateTime(since),
                JobRunTimes=pywbem.Uint32(0),
                OverlapPolicy=pywbem.Uint16(2),
            )
            self.assertIn(self.request(path, START), (0, 4096))
            self.wait(path, RUNNING)
            alert = listener.next("the alert of the missed time")
            self.assertEqual((alert["AlertType"], alert["ProbableCause"]), (3, 53))
            self.assertEqual(alert["EventID"], f"missed:{path['InstanceID']}")
            self.assertIn(path["InstanceID"], alert["AlertingManagedElement"])
            self.assertIn("missed 1 of its times", alert["Message"])
            self.assertEqual(self.get(path, "MissedRunCount"), 1)
            self.conn.InvokeMethod("KillJob", path, DeleteOnKill=True)

    def test_method_calls_are_told_before_and_after_them(self):
        with Listener() as listener:
            query = "SELECT * FROM CIM_InstMethodCall WHERE SourceInstance ISA JW_Job"
            self.subscribe(listener, query)
            path = self.create("/bin/true", Hold=True, Environment=["SECRET=1"])
            # The path may name a superclass, as clients of that class write it.
            path = path.copy()
            path.classname = "CIM_ConcreteJob"
            self.conn.InvokeMethod("KillJob", path, DeleteOnKill=True)
            before, after = listener.next("the call"), listener.next("its end")
            for told in (before, after):
                self.assertEqual(told.classname, "CIM_InstMethodCall")
                self.assertEqual(told["MethodName"], "KillJob")
                self.assertEqual(told["SourceInstance"]["InstanceID"], path["InstanceID"])
                self.assertIsNone(told["SourceInstance"].get("Environment"))
                self.assertEqual(told["MethodParameters"].classname, "__MethodParameters")
            self.assertEqual((before["PreCall"], after["PreCall"]), (True, False))
            self.assertEqual((before["ReturnValue"], after["ReturnValue"]), (None, "0"))
            self.assertIs(before["MethodParameters"]["DeleteOnKill"], True)
            self.assertNotIn("DeleteOnKill", after["MethodParameters"])
            self.assert_status(
                pywbem.CIM_ERR_NOT_FOUND, self.conn.InvokeMethod, "KillJob", path
            )
            self.assertTrue(listener.taken.empty(), "there was nothing to call")

    def test_whoever_is_to_be_told_of_the_end_is_named_by_an_alert(self):
        with Listener() as listener:
            self.subscribe(listener, "SELECT * FROM CIM_AlertIndication WHERE MessageID = 'JW2004'")
            self.wait(self.create("/bin/true"), COMPLETED)
            ends = [("exit 0", COMPLETED, 2), ("exit 3", EXCEPTION, 5)]
            for script, state, severity in ends:
                path = self.create(Script=script, Notify="at first", Hold=True)
                change = pywbem.CIMInstance("JW_Job", {"Notify": "ann@example.org"}, path=path.copy())
                self.conn.ModifyInstance(change, PropertyList=["Notify"])
                self.request(path, START)
                self.wait(path, state)
                alert = listener.next("the alert of the end")
                self.assertEqual((alert["AlertType"], alert["PerceivedSeverity"]), (1, severity))
                self.assertEqual(
                    alert["MessageArguments"], [path["InstanceID"], str(state), "ann@example.org"]
                )
                self.assertIn("ann@example.org", alert["Message"])
                self.assertIn(path["InstanceID"], alert["AlertingManagedElement"])
            path = self.create("/bin/true", Notify="bob", Hold=True)
            self.request(path, KILL)
            alert = listener.next("the alert of the killed job")
            self.assertEqual(alert["MessageArguments"][1:], [str(KILLED), "bob"])
            self.assertTrue(listener.taken.empty(), "a job without Notify ends in silence")

    def test_what_a_submitted_job_runs_is_not_told(self):
        with Listener() as listener:
            query = "SELECT * FROM CIM_InstMethodCall WHERE SourceInstance ISA CIM_Service"
            self.subscribe(listener, query)
            service = self.conn.EnumerateInstanceNames("JW_JobService")[0]
            call = {"Name": "told", "Command": ["/bin/echo", "secret"]}
            _, out = self.conn.InvokeMethod("SubmitJob", service, **call)
            before, after = listener.next("the call"), listener.next("its end")
            self.assertEqual(before["MethodParameters"]["Name"], "told")
            self.assertIsNone(before["MethodParameters"]["Command"])
            self.assertEqual(after["ReturnValue"], "4096")
            self.assertIn(out["Job"]["InstanceID"], after["MethodParameters"]["Job"])
            self.wait(out["Job"])

    def test_the_end_of_history_is_told(self):
        with Listener() as listener:
            query = "SELECT * FROM CIM_InstDeletion WHERE SourceInstance ISA JW_JobRun"
            self.subscribe(listener, query)
            path = self.create("/bin/sh", "-c", "exit 7")
            self.wait(path, EXCEPTION)
            self.conn.DeleteInstance(path)
            run = listener.next("the deletion of the run")["SourceInstance"]
            self.assertEqual((run["JobID"], run["ExitStatus"]), (path["InstanceID"], 7))

    def test_an_old_handler_and_wql_do_as_well(self):
        with Listener() as listener:
            conn = connection_to_interop(self.conn)
            handler = conn.CreateInstance(
                pywbem.CIMInstance("CIM_IndicationHandlerCIMXML", {"Destination": listener.url})
            )
            query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_Job"
            values = {"Query": query, "QueryLanguage": "WQL", "SourceNamespace": NAMESPACE}
            filter_path = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationFilter", values))
            ends = {"Filter": filter_path, "Handler": handler}
            made = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationSubscription", ends))
            path = self.create("/bin/true")
            told = listener.next("the creation")
            self.assertEqual(told["SourceInstance"]["InstanceID"], path["InstanceID"])
            shown = conn.GetInstance(made)
            self.assertEqual(shown["LastIndicationIdentifier"], told["IndicationIdentifier"])
            self.assertIsNotNone(shown["LastIndicationProductionDateTime"])
            for path in (made, filter_path, handler):
                conn.DeleteInstance(path)

    def test_nobody_is_told_after_the_subscription_is_disabled(self):
        with Listener() as listener, Listener() as other:
            made = self.subscribe(listener, LIFE)
            self.subscribe(other, LIFE)
            change = pywbem.CIMInstance(
                "CIM_IndicationSubscription",
                {"SubscriptionState": pywbem.Uint16(4)},
                path=made[-1],
            )
            connection_to_interop(self.conn).ModifyInstance(change)
            self.wait(self.create("/bin/true"))
            other.until(lambda i: i["SourceInstance"]["JobState"] == COMPLETED, "the end")
            self.assertTrue(listener.taken.empty())

    def test_repeats_are_suppressed_as_the_subscription_wants(self):
        with Listener() as listener, Listener() as other:
            policy = {
                "RepeatNotificationPolicy": pywbem.Uint16(3),
                "RepeatNotificationCount": pywbem.Uint16(1),
                "RepeatNotificationInterval": pywbem.Uint64(3600),
            }
            self.subscribe(listener, STATE_CHANGED, **policy)
            self.subscribe(other, STATE_CHANGED)
            is_over = lambda i: i["SourceInstance"]["JobState"] == COMPLETED  # noqa: E731
            paths = []
            for _ in range(2):
                path = self.create("/bin/true")
                paths.append(path["InstanceID"])
                self.assertGreater(len(other.until(is_over, "the end")), 1)
            told = [listener.next()["SourceInstance"]["InstanceID"] for _ in paths]
            self.assertEqual(told, paths)
            self.assertTrue(listener.taken.empty())

    def test_repeats_are_delayed_as_the_subscription_wants(self):
        interval, gap = datetime.timedelta(seconds=1), datetime.timedelta(seconds=2)
        policy = {
            "RepeatNotificationPolicy": pywbem.Uint16(4),
            "RepeatNotificationCount": pywbem.Uint16(1),
            "RepeatNotificationInterval": pywbem.Uint64(interval.seconds),
            "RepeatNotificationGap": pywbem.Uint64(gap.seconds),
        }
        query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob"
        with Listener() as listener, Listener() as other:
            self.subscribe(listener, query, **policy)
            self.subscribe(other, query)
            first, second = (self.create("/bin/true", Hold=True) for _ in range(2))
            priorities = itertools.count(100)

            def change(path):
                values = {"Priority": pywbem.Uint32(next(priorities))}
                self.conn.ModifyInstance(pywbem.CIMInstance("JW_Job", values, path=path))
                return moment(other.next("the change"))

            def change_until_told(path):
                """When a job was changed until that was told, and the change that was told."""
                changes = []

                def is_told():
                    changes.append(change(path))
                    return not listener.taken.empty()

                self.wait_until("a change is told", is_told)
                told = listener.next()
                self.assertEqual(told["SourceInstance"]["InstanceID"], path["InstanceID"])
                return changes, moment(told)

            held_back = change(second)
            changes, told = change_until_told(first)
            self.assertIn(told, changes[1:])
            self.assertLess(told - changes[changes.index(told) - 1], interval)
            later, again = change_until_told(first)
            self.assertGreaterEqual(again, told + gap, "nothing is told in the gap")
            behind = [at for at in later if at >= told + gap]
            self.assertIn(again, behind[1:], "behind the gap it is counted anew")
            # The interval of the first change of the other job is over by now.
            changes, told = change_until_told(second)
            self.assertGreater(changes[0] - held_back, interval)
            self.assertIn(told, changes[1:])
            for path in (first, second):
                self.request(path, KILL)


class Kept(EventCase):
    def test_instances_that_clients_keep_are_told_too(self):
        def declared(name, kind, qualifier):
            qualifiers = [pywbem.CIMQualifier(qualifier, True)]
            return pywbem.CIMProperty(name, None, type=kind, qualifiers=qualifiers)

        properties = [declared("Id", "uint32", "Key"), declared("Text", "string", "Write")]
        self.conn.CreateClass(pywbem.CIMClass("TST_Told", properties=properties))
        self.addCleanup(lambda: self.conn.DeleteClass("TST_Told"))
        query = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA TST_Told"
        with Listener() as listener:
            made = subscribe(self.conn, listener.url, query)
            values = {"Id": pywbem.Uint32(7), "Text": "one"}
            new = pywbem.CIMInstance("TST_Told", values)
            path = self.conn.CreateInstance(new)
            change = pywbem.CIMInstance("TST_Told", {"Text": "two"}, path=path)
            self.conn.ModifyInstance(change, PropertyList=["Text"])
            self.conn.DeleteInstance(path)
            told = listener.until(is_gone, "the deletion")
            texts = [indication["SourceInstance"]["Text"] for indication in told]
            self.assertEqual(texts, ["one", "two", "two"])
            self.assertEqual(told[1]["PreviousInstance"]["Text"], "one")
            self.assertEqual(told[1]["ChangedPropertyNames"], ["Text"])
            conn = connection_to_interop(self.conn)
            for path in reversed(made):
                conn.DeleteInstance(path)


class Classes(EventCase):
    def test_the_life_of_a_class_is_told(self):
        def declared(name, kind, *qualifiers):
            qualifiers = [pywbem.CIMQualifier(qualifier, True) for qualifier in qualifiers]
            return pywbem.CIMProperty(name, None, type=kind, qualifiers=qualifiers)

        key = declared("Id", "uint32", "Key")
        first = pywbem.CIMClass("TST_Life", properties=[key])
        second = pywbem.CIMClass("TST_Life", properties=[key, declared("Text", "string", "Write")])
        with Listener() as listener, Listener() as ends:
            made = subscribe(self.conn, listener.url, "SELECT * FROM CIM_ClassIndication")
            made += subscribe(self.conn, ends.url, "SELECT * FROM CIM_ClassDeletion")
            self.conn.CreateClass(first)
            self.assert_status(pywbem.CIM_ERR_ALREADY_EXISTS, self.conn.CreateClass, first)
            self.conn.ModifyClass(second)
            self.conn.DeleteClass("TST_Life")
            told = [listener.next() for _ in range(3)]
            names = [indication.classname for indication in told]
            self.assertEqual(
                names, ["CIM_ClassCreation", "CIM_ClassModification", "CIM_ClassDeletion"]
            )
            definitions = [indication["ClassDefinition"] for indication in told]
            properties = [list(definition.properties) for definition in definitions]
            self.assertEqual(properties, [["Id"], ["Id", "Text"], ["Id", "Text"]])
            self.assertEqual({definition.classname for definition in definitions}, {"TST_Life"})
            self.assertEqual(list(told[1]["PreviousClassDefinition"].properties), ["Id"])
            self.assertTrue(definitions[0].properties["Id"].qualifiers["Key"].value)
            self.assertEqual([number for _, number in numbers(told)], [0, 1, 2])
            self.assertEqual(ends.next().classname, "CIM_ClassDeletion")
            self.assertTrue(listener.taken.empty(), "what was refused is not told")
            conn = connection_to_interop(self.conn)
            for path in reversed(made):
                conn.DeleteInstance(path)


LINKS = [
    "CIM_AffectedJobElement",
    "CIM_AssociatedJobMethodResult",
    "CIM_ElementCapabilities",
    "CIM_ElementSettingData",
    "CIM_ElementStatisticalData",
    "CIM_HostedJobDestination",
    "CIM_JobDestinationJobs",
    "CIM_OwningJobElement",
    "CIM_ServiceAffectsElement",
    "JW_JobDependency",
    "JW_RecoveryJob",
]


class Links(EventCase):
    def test_what_clients_link_is_told_once(self):
        query = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA JW_JobDependency"
        with Listener() as listener:
            self.subscribe(listener, query)
            first = self.create("/bin/true", Hold=True)
            second = self.create("/bin/true", Hold=True)
            values = {"Antecedent": first, "Dependent": second}
            link = self.conn.CreateInstance(pywbem.CIMInstance("JW_JobDependency", values))
            self.conn.DeleteInstance(link)
            for classname in ("CIM_InstCreation", "CIM_InstDeletion"):
                told = listener.next()
                self.assertEqual(told.classname, classname)
                ends = [told["SourceInstance"][name] for name in ("Antecedent", "Dependent")]
                ids = [end["InstanceID"] for end in ends]
                self.assertEqual(ids, [first["InstanceID"], second["InstanceID"]])
            self.assert_status(
                pywbem.CIM_ERR_NOT_FOUND, self.conn.DeleteInstance, link
            )
            self.assertTrue(listener.taken.empty(), "what was refused is not told")

    def test_whoever_follows_what_is_told_knows_what_there_is(self):
        query = "SELECT * FROM CIM_InstIndication WHERE " + " OR ".join(
            f"SourceInstance ISA {name}" for name in (*LINKS, "CIM_MethodResult")
        )
        with Listener() as listener:
            self.subscribe(listener, query)
            known = self.there()
            self.listener, begin = listener, set(known)
            service = self.conn.EnumerateInstanceNames("JW_JobService")[0]
            queue = self.conn.CreateInstance(pywbem.CIMInstance("JW_JobQueue", {"Name": "linked"}))
            self.follow(known, "a queue", {"CIM_HostedJobDestination"})
            first = self.create("/bin/true", Hold=True)
            self.follow(known, "a job", {"CIM_OwningJobElement"})
            call = {
                "Name": "called",
                "Command": ["/bin/echo", "secret"],
                "JobSettings": pywbem.CIMInstance(
                    "JW_Job",
                    {"QueueName": "linked", "DependsOn": [first["InstanceID"] + ";ended"]},
                ),
            }
            _, out = self.conn.InvokeMethod("SubmitJob", service, **call)
            self.follow(known, "a call", {"JW_JobDependency", "CIM_AssociatedJobMethodResult"})
            self.request(first, START)
            self.wait(out["Job"])
            self.follow(known, "the ends", {"CIM_ElementStatisticalData"})
            for gone in (first, out["Job"], queue):
                self.conn.DeleteInstance(gone)
            self.follow(known, "the deletions", set())
            self.assertEqual(set(known) - begin, set())

    def there(self):
        """All there is, without what jobs run, which is not told."""
        found = {}
        for name in (*LINKS, "CIM_MethodResult"):
            for instance in self.conn.EnumerateInstances(name):
                found[self.key(instance.path)] = self.plain(instance)
        return found

    def follow(self, known, what, classes):
        """Takes what is told until what is known is what there is, which includes some of `classes`."""
        seen = set()
        while True:
            there = self.there()
            while not self.listener.taken.empty():
                seen.add(self.learn(known, self.listener.next()))
            if known == there:
                break
            seen.add(self.learn(known, self.listener.next(f"{what}: {known} is not {there}")))
        self.assertLessEqual(classes, seen, what)

    def learn(self, known, indication):
        path = pywbem.CIMInstanceName.from_wbem_uri(indication["SourceInstanceModelPath"])
        key, new = self.key(path), self.plain(indication["SourceInstance"])
        if indication.classname == "CIM_InstCreation":
            self.assertNotIn(key, known)
            known[key] = new
        elif indication.classname == "CIM_InstDeletion":
            self.assertEqual(known.pop(key), new)
        else:
            self.assertEqual(known[key], self.plain(indication["PreviousInstance"]))
            known[key] = new
        return key[0]

    def key(self, path):
        keys = [(name, self.value(value)) for name, value in path.keybindings.items()]
        return path.classname, tuple(sorted(keys))

    def value(self, value):
        """A value in short; a path without where it is."""
        if isinstance(value, str) and ":" in value:
            try:
                value = pywbem.CIMInstanceName.from_wbem_uri(value)
            except ValueError:
                pass
        if isinstance(value, pywbem.CIMInstanceName):
            return self.key(value)
        if isinstance(value, pywbem.CIMInstance):
            return self.plain(value)
        return str(value)

    def plain(self, instance):
        """All that is said but what a job runs, and what of times differs between two looks."""
        hidden = ("Command", "Environment", "Script", "JobSettings")
        said = [(n, self.value(v)) for n, v in instance.items() if v is not None and n not in hidden]
        return instance.classname, tuple(sorted(said))


class Others(EventCase):
    def test_namespaces_and_the_object_manager_are_told(self):
        conn = connection_to_interop(self.conn)
        with Listener() as listener:
            handler = conn.CreateInstance(
                pywbem.CIMInstance("CIM_ListenerDestinationCIMXML", {"Destination": listener.url})
            )
            query = (
                "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_Namespace "
                "OR SourceInstance ISA CIM_ObjectManager"
            )
            values = {"Query": query, "QueryLanguage": "DMTF:CQL"}
            filter_path = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationFilter", values))
            ends = {"Filter": filter_path, "Handler": handler}
            made = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationSubscription", ends))
            new = conn.CreateInstance(pywbem.CIMInstance("CIM_Namespace", {"Name": "root/told"}))
            told = listener.next()
            self.assertEqual(told.classname, "CIM_InstCreation")
            self.assertEqual(told["SourceInstance"]["Name"], "root/told")
            conn.DeleteInstance(new)
            self.assertEqual(listener.next().classname, "CIM_InstDeletion")
            manager = conn.EnumerateInstances("CIM_ObjectManager")[0]
            gathers = manager["GatherStatisticalData"]
            for value in (not gathers, gathers):
                change = pywbem.CIMInstance(
                    manager.classname, {"GatherStatisticalData": value}, path=manager.path
                )
                conn.ModifyInstance(change)
                told = listener.next()
                self.assertEqual(told.classname, "CIM_InstModification")
                self.assertEqual(told["ChangedPropertyNames"].count("GatherStatisticalData"), 1)
                self.assertIs(told["SourceInstance"]["GatherStatisticalData"], value)
            for path in (made, filter_path, handler):
                conn.DeleteInstance(path)


class Namespaces(EventCase):
    """What comes and goes with a namespace, whichever way it was made."""

    def setUp(self):
        super().setUp()
        self.interop = connection_to_interop(self.conn)

    def by_namespace(self):
        path = self.interop.CreateInstance(pywbem.CIMInstance("CIM_Namespace", {"Name": self.name}))
        return lambda: self.interop.DeleteInstance(path)

    def by_legacy_namespace(self):
        inner = pywbem.CIMInstance("__Namespace", {"Name": self.name.removeprefix(NAMESPACE + "/")})
        path = self.conn.CreateInstance(inner)
        return lambda: self.conn.DeleteInstance(path)

    def by_method(self):
        server = self.interop.EnumerateInstanceNames("CIM_WBEMServer")[0]
        template = pywbem.CIMInstance("CIM_WBEMServerNamespace", {"Name": self.name})
        self.interop.InvokeMethod("CreateWBEMServerNamespace", server, NamespaceTemplate=template)
        found = self.interop.EnumerateInstanceNames("CIM_Namespace")
        path = next(path for path in found if path["Name"] == self.name)
        return lambda: self.interop.DeleteInstance(path)

    def subscribe(self, listener, query, namespace):
        handler = pywbem.CIMInstance("CIM_ListenerDestinationCIMXML", {"Destination": listener.url})
        values = {"Query": query, "QueryLanguage": "DMTF:CQL", "SourceNamespaces": [namespace]}
        made = [
            self.interop.CreateInstance(handler),
            self.interop.CreateInstance(pywbem.CIMInstance("CIM_IndicationFilter", values)),
        ]
        ends = {"Filter": made[1], "Handler": made[0]}
        made.append(
            self.interop.CreateInstance(pywbem.CIMInstance("CIM_IndicationSubscription", ends))
        )
        self.addCleanup(lambda: [self.interop.DeleteInstance(path) for path in reversed(made)])

    def test_every_instance_of_a_namespace_is_told_once_whichever_way_it_was_made(self):
        classes = [
            "CIM_Namespace",
            "CIM_WBEMServerNamespace",
            "CIM_NamespaceInManager",
            "CIM_HostedDependency",
        ]
        last = "CIM_ObjectManager"
        isa = " OR ".join(f"SourceInstance ISA {name}" for name in [*classes, last])
        with Listener() as listener, Listener() as above:
            query = "SELECT * FROM CIM_InstIndication WHERE "
            self.subscribe(listener, query + isa, INTEROP)
            self.subscribe(above, "SELECT * FROM CIM_InstIndication", NAMESPACE)
            for number, way in enumerate([self.by_namespace, self.by_legacy_namespace, self.by_method]):
                self.name = f"{NAMESPACE}/told{number}"
                delete = way()
                present = {name: self.there(name) for name in classes}
                delete()
                self.touch_the_manager()
                told = listener.until(lambda i: i["SourceInstance"].classname == last, "the end")
                told = [(i.classname, i["SourceInstance"]) for i in told[:-1]]
                created = [source for kind, source in told if kind == "CIM_InstCreation"]
                deleted = [source for kind, source in told if kind == "CIM_InstDeletion"]
                self.assertEqual([source.classname for source in created], classes)
                self.assertEqual([source.classname for source in deleted], classes[::-1])
                self.assertEqual(len(told), 2 * len(classes))
                for source in (*created, *deleted):
                    self.assertIn(self.said(source), present[source.classname])
                    self.assertNotIn(self.said(source), self.there(source.classname))
                for kind in ("CIM_InstCreation", "CIM_InstDeletion"):
                    is_ours = lambda i: i["SourceInstance"].classname == "__Namespace"  # noqa: E731
                    inner = above.until(is_ours, "the namespace below")[-1]
                    self.assertEqual(inner.classname, kind)
                    self.assertEqual(inner["SourceInstance"]["Name"], f"told{number}")
            refused = pywbem.CIMInstance("CIM_Namespace", {"Name": NAMESPACE})
            self.assert_status(
                pywbem.CIM_ERR_ALREADY_EXISTS, self.interop.CreateInstance, refused
            )
            self.touch_the_manager()
            told = listener.next("what comes after the refusal")
            self.assertEqual(told["SourceInstance"].classname, last)

    def there(self, classname):
        return [self.said(instance) for instance in self.interop.EnumerateInstances(classname)]

    def said(self, instance):
        """All that the instance says, without where it is."""

        def plain(value):
            if isinstance(value, pywbem.CIMInstanceName):
                return (value.classname, sorted(value.keybindings.items()))
            return value

        return {name: plain(value) for name, value in instance.items() if value is not None}

    def touch_the_manager(self):
        manager = self.interop.EnumerateInstances("CIM_ObjectManager")[0]
        values = {"GatherStatisticalData": not manager["GatherStatisticalData"]}
        self.interop.ModifyInstance(
            pywbem.CIMInstance(manager.classname, values, path=manager.path)
        )


class Own(EventCase):
    def test_subscriptions_are_themselves_told(self):
        conn = connection_to_interop(self.conn)
        with Listener() as listener:
            handler = conn.CreateInstance(
                pywbem.CIMInstance("CIM_ListenerDestinationCIMXML", {"Destination": listener.url})
            )
            query = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_ListenerDestination"
            values = {"Query": query, "QueryLanguage": "DMTF:CQL"}
            filter_path = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationFilter", values))
            ends = {"Filter": filter_path, "Handler": handler}
            made = conn.CreateInstance(pywbem.CIMInstance("CIM_IndicationSubscription", ends))
            secret = {"Destination": listener.url, "password": "secret", "username": "me"}
            other = conn.CreateInstance(
                pywbem.CIMInstance("CIM_ListenerDestinationCIMXML", secret)
            )
            conn.DeleteInstance(other)
            for classname in ("CIM_InstCreation", "CIM_InstDeletion"):
                told = listener.next()
                self.assertEqual(told.classname, classname)
                self.assertEqual(told["SourceInstance"]["Name"], other["Name"])
                self.assertIsNone(told["SourceInstance"].get("password"))
            for path in (made, filter_path, handler):
                conn.DeleteInstance(path)

    def test_what_comes_with_an_object_is_told_with_it(self):
        conn = connection_to_interop(self.conn)
        destination = {"Destination": "http://127.0.0.1:9"}
        query = {"Query": "SELECT * FROM CIM_Indication", "QueryLanguage": "DMTF:CQL"}
        cases = [
            ("CIM_IndicationFilter", query, ["CIM_ServiceAffectsElement"]),
            ("CIM_FilterCollection", {"CollectionName": "mine"}, ["CIM_ServiceAffectsElement"]),
            (
                "CIM_ListenerDestinationCIMXML",
                destination,
                [
                    "JW_DestinationStatistics",
                    "CIM_ElementStatisticalData",
                    "CIM_ServiceAffectsElement",
                ],
            ),
        ]
        with Listener() as listener:
            made = subscribe(
                conn, listener.url, "SELECT * FROM CIM_InstIndication", namespace=INTEROP
            )
            self.addCleanup(lambda: [conn.DeleteInstance(path) for path in reversed(made)])
            for classname, values, companions in cases:
                before = self.paths(companions)
                new = conn.CreateInstance(pywbem.CIMInstance(classname, values))
                present = self.paths(companions) - before
                self.assertEqual(len(present), len(companions))
                conn.DeleteInstance(new)
                told = [listener.next() for _ in range(2 * (1 + len(companions)))]
                created, deleted = told[: len(told) // 2], told[len(told) // 2 :]
                for found, kind, order in (
                    (created, "CIM_InstCreation", [classname, *companions]),
                    (deleted, "CIM_InstDeletion", [classname, *companions][::-1]),
                ):
                    self.assertEqual({one.classname for one in found}, {kind})
                    sources = [one["SourceInstance"] for one in found]
                    self.assertEqual([source.classname for source in sources], order)
                    paths = {self.path(one["SourceInstanceModelPath"]) for one in found}
                    self.assertEqual(paths, present | {self.path(new.to_wbem_uri())})
            self.assertTrue(listener.taken.empty())

    def paths(self, classes):
        conn = connection_to_interop(self.conn)
        names = [path for name in classes for path in conn.EnumerateInstanceNames(name)]
        return {self.path(name.to_wbem_uri()) for name in names}

    def path(self, uri):
        path = pywbem.CIMInstanceName.from_wbem_uri(uri)
        path.host = None
        return path.to_wbem_uri(format="canonical")


if __name__ == "__main__":
    unittest.main()
