"""Associations between jobs and what belongs to them, walked by pywbem in both directions."""

import pywbem

from common import *  # noqa: F403


class Dependencies(Case):
    def dependency(self, antecedent, dependent, condition=None):
        values = {"Antecedent": antecedent, "Dependent": dependent}
        if condition is not None:
            values["Condition"] = pywbem.Uint16(condition)
        return self.conn.CreateInstance(pywbem.CIMInstance("JW_JobDependency", values))

    def names(self, path, **filters):
        found = self.conn.AssociatorNames(path, AssocClass="JW_JobDependency", **filters)
        return sorted(found_path["InstanceID"] for found_path in found)

    def test_depends_on_is_an_association(self):
        first = self.create("/bin/true", Hold=True)
        second = self.create("/bin/true", Hold=True)
        entries = [first["InstanceID"], second["InstanceID"] + ";failed"]
        last = self.create("/bin/true", DependsOn=entries)
        self.assertEqual(self.names(last), sorted([first["InstanceID"], second["InstanceID"]]))
        self.assertEqual(self.names(last, Role="Antecedent"), [])
        self.assertEqual(self.names(first), [last["InstanceID"]])
        self.assertEqual(self.names(first, ResultRole="Dependent"), [last["InstanceID"]])
        links = self.conn.References(second, ResultClass="JW_JobDependency")
        self.assertEqual([link["Condition"] for link in links], [3])
        self.assertEqual(links[0]["Antecedent"]["InstanceID"], second["InstanceID"])
        self.assertEqual(self.conn.GetInstance(links[0].path)["Condition"], 3)
        links[0].path.host = None
        self.assertIn(links[0].path, self.conn.EnumerateInstanceNames("CIM_Dependency"))
        self.assertIn("and 1 more", self.get(last, "WaitReason"))
        self.request(first, START)
        self.wait(first, COMPLETED)
        self.assertEqual(self.names(first), [last["InstanceID"]], "it stays as long as both jobs")
        self.conn.DeleteInstance(first)
        self.assertEqual(self.names(last), [second["InstanceID"]])
        self.request(second, KILL)
        self.wait(last, COMPLETED)

    def test_dependencies_are_made_and_taken_away_before_the_first_run(self):
        first = self.create("/bin/sh", "-c", "exit 3", Hold=True)
        held = self.create("/bin/true", Hold=True)
        job = self.create("/bin/true", Hold=True)
        path = self.dependency(first, job, condition=3)
        self.assertEqual(self.get(path, "Condition"), 3)
        self.assertEqual(self.get(job, "DependsOn"), [first["InstanceID"] + ";failed"])
        self.assert_status(11, self.dependency, first, job)
        self.assert_status(4, self.dependency, job, first, containing="waits for it")
        self.assert_status(4, self.dependency, job, job, containing="waits for it")
        other = self.dependency(held, job)
        self.assertEqual(self.get(other, "Condition"), 2)
        self.conn.DeleteInstance(other)
        self.assert_status(6, self.conn.GetInstance, other)
        self.assert_status(6, self.conn.DeleteInstance, other)
        self.request(job, START)
        self.assertIn(first["InstanceID"], self.get(job, "WaitReason"))
        self.request(first, START)
        self.wait(job, COMPLETED)
        self.assert_status(1, self.dependency, held, job, containing="ended")
        gone = pywbem.CIMInstanceName("JW_Job", {"InstanceID": "never"}, namespace=NAMESPACE)
        self.assert_status(4, self.dependency, gone, held, containing="Antecedent")
        twice = [held["InstanceID"], held["InstanceID"] + ";ended"]
        self.assert_status(4, self.create, "/bin/true", containing="twice", DependsOn=twice)
        self.request(held, KILL)


class Structure(Case):
    """Each association leads from one end to the other and back."""

    def setUp(self):
        self.system = self.conn.EnumerateInstanceNames("CIM_ComputerSystem")[0]
        self.service = self.conn.EnumerateInstanceNames("JW_JobService")[0]
        self.queue = self.conn.CreateInstance(
            pywbem.CIMInstance("JW_JobQueue", {"Name": "links", "MaxRunningJobs": pywbem.Uint32(1)})
        )
        self.addCleanup(self.conn.DeleteInstance, self.queue)
        for path in (self.system, self.service, self.queue):
            path.host = None

    def far(self, path, association, role, result_role):
        found = self.conn.AssociatorNames(
            path, AssocClass=association, Role=role, ResultRole=result_role
        )
        for far in found:
            far.host = None
        return found

    def assert_linked(self, association, near, far, linked=True):
        """The ends are (role, path) each; every operation agrees on whether they are linked."""
        (role, path), (other_role, other) = near, far
        message = f"{association} from {path} to {other}"
        self.assertEqual(other in self.far(path, association, role, other_role), linked, message)
        self.assertEqual(path in self.far(other, association, other_role, role), linked, message)
        self.assertNotIn(other, self.far(path, association, other_role, role), message)
        references = self.conn.References(path, ResultClass=association, Role=role)
        found = [link for link in references if link[other_role] == other]
        self.assertEqual(len(found), int(linked), message)
        if not linked:
            return None
        self.assertEqual(found[0][role], path)
        self.assertEqual(self.conn.GetInstance(found[0].path).path.keybindings, found[0].path.keybindings)
        found[0].path.host = None
        self.assertIn(found[0].path, self.conn.EnumerateInstanceNames(association))
        return found[0]

    def test_what_is_hosted_where(self):
        system, service, queue = self.system, self.service, self.queue
        self.assert_linked("CIM_HostedService", ("Antecedent", system), ("Dependent", service))
        self.assert_linked("CIM_HostedJobDestination", ("Antecedent", system), ("Dependent", queue))
        link = self.assert_linked(
            "CIM_ServiceAffectsElement", ("AffectingElement", service), ("AffectedElement", queue)
        )
        self.assertEqual(link["ElementEffects"], [5])

    def test_capabilities(self):
        path = self.conn.EnumerateInstanceNames("CIM_JobCapabilities")[0]
        path.host = None
        for element in (self.service, self.queue):
            self.assert_linked(
                "CIM_ElementCapabilities", ("ManagedElement", element), ("Capabilities", path)
            )
        instance = self.conn.GetInstance(path)
        self.assertEqual(instance["RequestedStatesSupported"], [2, 3, 4, 5])
        self.assertEqual(instance["CleanupInterval"].timedelta.days, 30)

    def test_a_job_comes_and_goes_with_its_links(self):
        job = self.create("/bin/true", QueueName="links", Hold=True)
        job.host = None
        schedule = self.conn.CreateInstance(
            pywbem.CIMInstance(
                "JW_JobSchedule", {"JobID": job["InstanceID"], "RunDay": pywbem.Sint8(1)}
            )
        )
        schedule.host = None
        owner = ("OwningElement", self.service), ("OwnedElement", job)
        queue = ("Antecedent", self.queue), ("Dependent", job)
        system = ("AffectedElement", self.system), ("AffectingElement", job)
        setting = ("ManagedElement", job), ("SettingData", schedule)
        self.assert_linked("CIM_OwningJobElement", *owner)
        self.assert_linked("CIM_JobDestinationJobs", *queue)
        link = self.assert_linked("CIM_AffectedJobElement", *system)
        self.assertEqual(link["ElementEffects"], [3])
        self.assert_linked("CIM_ElementSettingData", *setting)
        self.conn.DeleteInstance(schedule)
        self.assertEqual(self.conn.References(job, ResultClass="CIM_ElementSettingData"), [])
        self.request(job, START)
        self.wait(job, COMPLETED)
        run = pywbem.CIMInstanceName(
            "JW_JobRun", {"InstanceID": job["InstanceID"] + ":1"}, namespace=NAMESPACE
        )
        stats = ("ManagedElement", job), ("Stats", run)
        self.assert_linked("CIM_ElementStatisticalData", *stats)
        self.assert_linked("CIM_AffectedJobElement", *system, linked=False)
        links = self.conn.ReferenceNames(job)
        self.assertEqual(
            sorted(link.classname for link in links),
            ["CIM_ElementStatisticalData", "CIM_JobDestinationJobs", "CIM_OwningJobElement"],
        )
        self.conn.DeleteInstance(job)
        for link in links:
            self.assert_status(6, self.conn.GetInstance, link)
        for element, association in (
            (self.service, "CIM_OwningJobElement"),
            (self.queue, "CIM_JobDestinationJobs"),
        ):
            self.assertNotIn(job, self.conn.AssociatorNames(element, AssocClass=association))

    def submit(self, **settings):
        """A job made by the method, which has a record of the call."""
        settings = pywbem.CIMInstance("JW_Job", settings)
        _, out = self.conn.InvokeMethod(
            "SubmitJob", "JW_JobService", Name="x", Command=["/bin/true"], JobSettings=settings
        )
        out["Job"].host = None
        return out["Job"]

    def test_the_record_of_a_call_comes_and_goes_with_its_job(self):
        job = self.submit(Hold=True)
        other = self.submit(Hold=True)
        record = pywbem.CIMInstanceName(
            "CIM_MethodResult", {"InstanceID": job["InstanceID"] + ":call"}, namespace=NAMESPACE
        )
        association = "CIM_AssociatedJobMethodResult"
        ends = ("Job", job), ("JobParameters", record)
        link = self.assert_linked(association, *ends)
        self.assert_linked(association, ("Job", other), ("JobParameters", record), linked=False)
        self.assertIn(record, self.conn.EnumerateInstanceNames("CIM_ManagedElement"))
        self.request(job, START)
        self.wait(job, COMPLETED)
        self.assert_linked(association, *ends)
        self.conn.DeleteInstance(job)
        for path in (record, link.path):
            self.assert_status(6, self.conn.GetInstance, path)
        self.assertNotIn(record, self.conn.EnumerateInstanceNames("CIM_MethodResult"))
        self.assert_status(6, self.conn.References, record)
        self.request(other, KILL)

    def test_what_links_two_jobs_goes_with_either(self):
        for association in ("JW_JobDependency", "JW_RecoveryJob"):
            for deleted in ("Antecedent", "Dependent"):
                with self.subTest(association, deleted=deleted):
                    ends = {
                        "Antecedent": self.create("/bin/true", Hold=True),
                        "Dependent": self.create(
                            "/bin/true", Hold=True, RecoveryAction=pywbem.Uint16(5)
                        ),
                    }
                    pair = ends.items()
                    self.assert_linked(association, *pair, linked=False)
                    self.conn.CreateInstance(pywbem.CIMInstance(association, ends))
                    link = self.assert_linked(association, *pair)
                    self.request(ends[deleted], KILL)
                    self.wait(ends[deleted], KILLED)
                    self.conn.DeleteInstance(ends[deleted])
                    self.assert_status(6, self.conn.GetInstance, link.path)
                    self.assertNotIn(link.path, self.conn.EnumerateInstanceNames(association))
                    left = ends["Dependent" if deleted == "Antecedent" else "Antecedent"]
                    self.assertEqual(self.conn.References(left, ResultClass=association), [])
                    if self.get(left, "JobState") not in FINAL:
                        self.request(left, KILL)

    def test_the_links_of_a_queue_come_and_go_with_it(self):
        queue = self.conn.CreateInstance(
            pywbem.CIMInstance("JW_JobQueue", {"Name": "gone", "MaxRunningJobs": pywbem.Uint32(1)})
        )
        setting = self.conn.CreateInstance(
            pywbem.CIMInstance("JW_JobSettingData", {"DeleteOnCompletion": True})
        )
        capabilities = self.conn.EnumerateInstanceNames("CIM_JobCapabilities")[0]
        for path in (queue, setting, capabilities):
            path.host = None
        ends = {"ManagedElement": queue, "SettingData": setting}
        self.conn.CreateInstance(pywbem.CIMInstance("CIM_ElementSettingData", ends))
        links = [
            self.assert_linked("CIM_HostedJobDestination", ("Antecedent", self.system), ("Dependent", queue)),
            self.assert_linked("CIM_ServiceAffectsElement", ("AffectingElement", self.service), ("AffectedElement", queue)),
            self.assert_linked("CIM_ElementCapabilities", ("Capabilities", capabilities), ("ManagedElement", queue)),
            self.assert_linked("CIM_ElementSettingData", ("SettingData", setting), ("ManagedElement", queue)),
        ]
        self.assertEqual(len(self.conn.ReferenceNames(queue)), len(links))
        self.conn.DeleteInstance(queue)
        for link in links:
            self.assert_status(6, self.conn.GetInstance, link.path)
            self.assertNotIn(link.path, self.conn.EnumerateInstanceNames(link.classname))
        self.assertEqual(self.conn.References(setting), [], "the settings stay, for nothing")
        self.conn.DeleteInstance(setting)
        self.assert_status(6, self.conn.GetInstance, setting)

    def test_links_are_not_made_by_clients(self):
        link = pywbem.CIMInstance(
            "CIM_HostedService", {"Antecedent": self.system, "Dependent": self.service}
        )
        self.assert_status(7, self.conn.CreateInstance, link)
        path = self.conn.ReferenceNames(self.service, ResultClass="CIM_HostedService")[0]
        self.assert_status(7, self.conn.DeleteInstance, path)


class Settings(Case):
    """What a job leaves open is said by the nearest settings."""

    def setUp(self):
        self.service = self.conn.EnumerateInstanceNames("JW_JobService")[0]

    def settings(self, **values):
        path = self.conn.CreateInstance(pywbem.CIMInstance("JW_JobSettingData", values))
        self.addCleanup(self.conn.DeleteInstance, path)
        return path

    def attach(self, element, settings):
        link = {"ManagedElement": element, "SettingData": settings}
        return self.conn.CreateInstance(pywbem.CIMInstance("CIM_ElementSettingData", link))

    def test_settings_of_a_queue_of_the_service_and_of_a_job(self):
        queue = self.conn.CreateInstance(
            pywbem.CIMInstance("JW_JobQueue", {"Name": "set", "MaxRunningJobs": pywbem.Uint32(1)})
        )
        self.addCleanup(self.conn.DeleteInstance, queue)
        own = self.settings(InstanceID="own:1", RecoveryAction=pywbem.Uint16(3))
        of_queue = self.settings(RecoveryAction=pywbem.Uint16(2), MaxRetries=pywbem.Uint32(7))
        of_all = self.settings(ElementName="all", DeleteOnCompletion=True)
        self.attach(queue, of_queue)
        link = self.attach(self.service, of_all)
        names = "RecoveryAction", "MaxRetries", "DeleteOnCompletion"
        job = self.create("/bin/true", Hold=True, QueueName="set", SettingID="own:1")
        self.addCleanup(self.request, job, KILL)
        self.assertEqual(self.get(job, *names), (3, 7, True))
        other = self.create("/bin/true", Hold=True, QueueName="set", DeleteOnCompletion=False)
        self.addCleanup(self.request, other, KILL)
        self.assertEqual(self.get(other, *names), (2, 7, False))
        for element, setting in ((job, own), (queue, of_queue), (self.service, of_all)):
            found = self.conn.AssociatorNames(
                element, AssocClass="CIM_ElementSettingData", ResultRole="SettingData"
            )
            self.assertEqual([path["InstanceID"] for path in found], [setting["InstanceID"]])
            found = self.conn.AssociatorNames(setting, AssocClass="CIM_ElementSettingData")
            self.assertEqual(len(found), 1)
            self.assertEqual(found[0].keybindings, element.keybindings)
        changed = pywbem.CIMInstance(
            "JW_JobSettingData", {"RecoveryAction": pywbem.Uint16(4)}, path=of_queue
        )
        self.conn.ModifyInstance(changed, PropertyList=["RecoveryAction"])
        self.assertEqual(self.get(of_queue, "RecoveryAction", "MaxRetries"), (4, 7))
        self.assertEqual(self.get(other, "RecoveryAction"), 2, "it was read at the submission")
        self.assert_status(1, self.attach, self.service, own, containing="has the settings")
        self.assert_status(7, self.attach, job, own, containing="SettingID")
        self.conn.DeleteInstance(link)
        self.assertEqual(self.conn.References(of_all), [])
        self.assert_status(11, self.settings, InstanceID="own:1")
        self.assert_status(4, self.create, "/bin/true", containing="SettingID", SettingID="none")
        self.assert_status(4, self.settings, containing="RunInSilentMode", RunInSilentMode=True)
