"""Filters, destinations and subscriptions, set up and taken down by pywbem."""

import unittest

import pywbem

from common import *  # noqa: F403

INTEROP = "interop"
LISTENER = "http://127.0.0.1:9"
QUERY = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob"
FAILED, ACCESS_DENIED, INVALID_PARAMETER, NOT_FOUND, NOT_SUPPORTED, EXISTS = 1, 2, 4, 6, 7, 11


class Objects(Case):
    """A test that creates in the interop namespace and leaves nothing there."""

    @classmethod
    def setUpClass(cls):
        cls.conn = connect(namespace=INTEROP)

    def setUp(self):
        self.made = []
        self.addCleanup(self.clear)

    def clear(self):
        for path in reversed(self.made):
            try:
                self.conn.DeleteInstance(path)
            except pywbem.CIMError as error:
                self.assertEqual(error.status_code, NOT_FOUND)

    def make(self, classname, **values):
        path = self.conn.CreateInstance(pywbem.CIMInstance(classname, values))
        self.made.append(path)
        return path

    def filter(self, query=QUERY, language="DMTF:CQL", **values):
        if "SourceNamespace" not in values:
            values.setdefault("SourceNamespaces", ["root/cimv2"])
        return self.make("CIM_IndicationFilter", Query=query, QueryLanguage=language, **values)

    def destination(self, url=LISTENER, **values):
        return self.make("CIM_ListenerDestinationCIMXML", Destination=url, **values)

    def subscription(self, filter_path, handler, **values):
        classname = "CIM_IndicationSubscription"
        return self.make(classname, Filter=filter_path, Handler=handler, **values)


class Creation(Objects):
    def test_the_server_gives_what_the_client_leaves_out(self):
        path = self.filter()
        self.assertEqual(path["CreationClassName"], "CIM_IndicationFilter")
        self.assertEqual(path["SystemCreationClassName"], "CIM_ComputerSystem")
        manager = self.conn.EnumerateInstances("CIM_ObjectManager")[0]
        self.assertEqual(path["SystemName"], manager["SystemName"])
        self.assertTrue(path["Name"])
        shown = self.get(path)
        self.assertEqual(shown["SourceNamespaces"], ["root/cimv2"])
        self.assertIs(shown["IndividualSubscriptionSupported"], True)
        handler = self.destination(PersistenceType=pywbem.Uint16(3), Name="mine")
        self.assertEqual(handler["Name"], "mine")
        self.assertEqual(self.get(handler, "PersistenceType", "Protocol"), (3, 2))
        path = self.subscription(path, handler)
        shown = self.get(path)
        self.assertEqual(shown["SubscriptionState"], 2)
        self.assertEqual(shown["OnFatalErrorPolicy"], 2)
        self.assertEqual(shown["RepeatNotificationPolicy"], 2)
        self.assertFalse(shown["SubscriptionStartTime"].is_interval)
        self.assertIsNone(shown["SubscriptionTimeRemaining"])

    def test_a_query_is_judged_when_the_filter_is_made(self):
        def refused(containing, *arguments, **values):
            self.assert_status(
                INVALID_PARAMETER, self.filter, *arguments, containing=containing, **values
            )

        refused("Query", "SELECT * FROM")
        refused("Query", "SELECT * FROM CIM_NoSuchClass")
        refused("no class of indications", "SELECT * FROM CIM_Job")
        refused("QueryLanguage", QUERY, "SQL")
        refused("no namespace", QUERY, SourceNamespaces=["root/nowhere"])
        refused("CreationClassName", QUERY, CreationClassName="CIM_Filter")
        self.filter("SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_Job", "WQL")
        old = self.filter(SourceNamespace="root/cimv2")
        self.assertEqual(self.get(old, "SourceNamespace"), "root/cimv2")

    def test_destinations_lead_only_where_the_administrator_allows_it(self):
        for url in ("http://192.0.2.1:5990", "http://169.254.169.254/latest", "http://[2001:db8::1]:1"):
            self.assert_status(ACCESS_DENIED, self.destination, url, containing="destination")
        for url in ("file:///etc/passwd", "http://", "http://a:b@127.0.0.1/"):
            self.assert_status(INVALID_PARAMETER, self.destination, url)
        self.destination("http://localhost:9")
        self.destination("127.0.0.1:9")
        wrong = {"Protocol": pywbem.Uint16(6)}
        self.assert_status(INVALID_PARAMETER, self.destination, containing="Protocol", **wrong)

    def test_passwords_are_taken_and_never_shown(self):
        path = self.destination(username="listener", password="secret")
        self.assertEqual(self.get(path, "username"), "listener")
        self.assertNotIn("secret", str(self.get(path).items()))
        for shown in self.conn.EnumerateInstances("CIM_ListenerDestination"):
            self.assertIsNone(shown.get("password"))

    def test_both_ends_of_a_subscription_must_be_there_and_it_is_one(self):
        path, handler = self.filter(), self.destination()
        gone = handler.copy()
        gone.keybindings["Name"] = "nobody"
        self.assert_status(NOT_FOUND, self.subscription, path, gone)
        alone = pywbem.CIMInstance("CIM_IndicationSubscription", {"Filter": path})
        self.assert_status(INVALID_PARAMETER, self.conn.CreateInstance, alone, containing="Handler")
        self.assert_status(INVALID_PARAMETER, self.subscription, path, path, containing="Handler")
        self.subscription(path, handler)
        self.assert_status(EXISTS, self.subscription, path, handler)
        alias = handler.copy()
        alias.namespace = "root/interop"
        self.assert_status(EXISTS, self.subscription, path, alias)
        by_collection = self.filter(IndividualSubscriptionSupported=False)
        self.assert_status(FAILED, self.subscription, by_collection, handler, containing="collection")

    def test_policies_need_what_they_need(self):
        path, handler = self.filter(), self.destination()
        suppress = {"RepeatNotificationPolicy": pywbem.Uint16(3)}
        self.assert_status(
            INVALID_PARAMETER, self.subscription, path, handler,
            containing="RepeatNotificationCount", **suppress
        )
        other = {"OnFatalErrorPolicy": pywbem.Uint16(1), "OtherOnFatalErrorPolicy": "ring me"}
        self.assert_status(NOT_SUPPORTED, self.subscription, path, handler, **other)
        unmapped = [("OnFatalErrorPolicy", value) for value in (0, 5)]
        unmapped += [(name, 5) for name in ("SubscriptionState", "RepeatNotificationPolicy")]
        for name, value in unmapped:
            values = {name: pywbem.Uint16(value)}
            self.assert_status(
                INVALID_PARAMETER, self.subscription, path, handler, containing=name, **values
            )
        alerts = {"AlertOnStateChange": True}
        self.assert_status(NOT_SUPPORTED, self.subscription, path, handler, **alerts)

    def test_what_is_in_use_stays(self):
        path, handler = self.filter(), self.destination()
        subscription = self.subscription(path, handler)
        for used in (path, handler):
            self.assert_status(FAILED, self.conn.DeleteInstance, used, containing="subscription")
        self.conn.DeleteInstance(subscription)
        self.assert_status(NOT_FOUND, self.conn.GetInstance, subscription)
        for unused in (path, handler):
            self.conn.DeleteInstance(unused)
            self.assert_status(NOT_FOUND, self.conn.DeleteInstance, unused)


class Reading(Objects):
    def test_they_are_found_under_their_superclasses(self):
        path, handler = self.filter(), self.destination()
        old = self.make("CIM_IndicationHandlerCIMXML", Destination=LISTENER, Owner="me")
        subscription = self.subscription(path, old)
        for made, superclass in (
            (path, "CIM_ManagedElement"),
            (handler, "CIM_ListenerDestination"),
            (old, "CIM_IndicationHandler"),
            (subscription, "CIM_AbstractIndicationSubscription"),
        ):
            names = [n.to_wbem_uri("canonical") for n in self.conn.EnumerateInstanceNames(superclass)]
            own = made.copy()
            own.host = None
            self.assertIn(own.to_wbem_uri("canonical"), [n.split("/", 3)[-1] if n.startswith("//") else n for n in names])

    def test_a_subscription_is_an_association(self):
        path, handler = self.filter(), self.destination()
        self.subscription(path, handler)
        ends = self.conn.AssociatorNames(path, AssocClass="CIM_IndicationSubscription")
        self.assertEqual([end.keybindings for end in ends], [handler.keybindings])
        ends = self.conn.Associators(handler, ResultClass="CIM_IndicationFilter", ResultRole="Filter")
        self.assertEqual([end["Query"] for end in ends], [QUERY])
        self.assertEqual(len(self.conn.References(handler, Role="Handler")), 1)
        self.assertEqual(self.conn.ReferenceNames(handler, Role="Filter"), [])

    def test_a_duration_runs_down_and_ends_the_subscription(self):
        path, handler = self.filter(), self.destination()
        subscription = self.subscription(path, handler, SubscriptionDuration=pywbem.Uint64(3600))
        self.assertIn(self.get(subscription, "SubscriptionTimeRemaining"), range(3500, 3601))
        change = pywbem.CIMInstance(
            "CIM_IndicationSubscription",
            {"SubscriptionDuration": pywbem.Uint64(1), "SubscriptionInfo": "short"},
            path=subscription,
        )
        self.conn.ModifyInstance(change)
        self.wait_until(
            "the subscription has ended",
            lambda: not self.conn.EnumerateInstanceNames("CIM_IndicationSubscription"),
        )

    def test_the_state_can_be_changed_and_nothing_else_that_is_not_writable(self):
        subscription = self.subscription(self.filter(), self.destination())
        before = self.get(subscription, "TimeOfLastStateChange")

        def modify(**values):
            change = pywbem.CIMInstance("CIM_IndicationSubscription", values, path=subscription)
            self.conn.ModifyInstance(change, PropertyList=list(values))

        modify(SubscriptionState=pywbem.Uint16(4))
        self.assertEqual(self.get(subscription, "SubscriptionState"), 4)
        self.assertGreater(self.get(subscription, "TimeOfLastStateChange").datetime, before.datetime)
        self.assert_status(NOT_SUPPORTED, modify, SubscriptionState=pywbem.Uint16(3))
        self.assert_status(INVALID_PARAMETER, modify, OnFatalErrorPolicy=pywbem.Uint16(3))


class Collections(Objects):
    def test_a_collection_holds_filters_and_is_subscribed_to(self):
        path, handler = self.filter(), self.destination()
        collection = self.make("CIM_FilterCollection", CollectionName="test:all")
        self.assertTrue(collection["InstanceID"])
        member = self.make("CIM_MemberOfCollection", Collection=collection, Member=path)
        members = self.conn.AssociatorNames(collection, AssocClass="CIM_MemberOfCollection")
        self.assertEqual([m.keybindings for m in members], [path.keybindings])
        self.assert_status(
            INVALID_PARAMETER, self.make, "CIM_MemberOfCollection", Collection=collection, Member=handler
        )
        classname = "CIM_FilterCollectionSubscription"
        subscription = self.make(classname, Filter=collection, Handler=handler)
        self.assert_status(FAILED, self.conn.DeleteInstance, collection)
        self.conn.DeleteInstance(subscription)
        self.conn.DeleteInstance(collection)
        self.assert_status(NOT_FOUND, self.conn.GetInstance, member)


class Manager(Case):
    def test_a_subscription_manager_sets_everything_up_and_takes_it_down(self):
        conn = connect(namespace=INTEROP)
        server = pywbem.WBEMServer(conn)
        with pywbem.WBEMSubscriptionManager("test") as manager:
            server_id = manager.add_server(server)
            owned = manager.add_destination(server_id, LISTENER, owned=True, destination_id="d")
            permanent = manager.add_destination(
                server_id, LISTENER + "9", owned=False, name="test:destination"
            )
            self.assertEqual(owned["PersistenceType"], 3)
            self.assertEqual(permanent["PersistenceType"], 2)
            filters = [
                manager.add_filter(
                    server_id, "root/cimv2", QUERY, "DMTF:CQL", owned=True, filter_id="f"
                ),
                manager.add_filter(
                    server_id, ["root/cimv2"], QUERY, query_language="DMTF:CQL",
                    owned=False, name="test:permanent",
                ),
            ]
            subscriptions = manager.add_subscriptions(
                server_id, filters[0].path, owned.path, owned=True
            )
            more = manager.add_subscriptions(
                server_id, filters[1].path, permanent.path, owned=False
            )
            self.assertEqual(len(manager.get_all_subscriptions(server_id)), 2)
            self.assertEqual(len(manager.get_owned_filters(server_id)), 1)
            self.assertEqual(len(manager.get_all_destinations(server_id)), 2)
            with self.assertRaises(pywbem.CIMError):
                manager.remove_filter(server_id, filters[1].path)
            manager.remove_subscriptions(server_id, more[0].path)
            manager.remove_filter(server_id, filters[1].path)
            manager.remove_destinations(server_id, permanent.path)
            self.assertEqual(manager.get_owned_subscriptions(server_id), subscriptions)
        for classname in ("CIM_IndicationSubscription", "CIM_ListenerDestination"):
            self.assertEqual(conn.EnumerateInstanceNames(classname), [])


if __name__ == "__main__":
    unittest.main()
