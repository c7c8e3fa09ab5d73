"""What a client has set up stays, whatever becomes of what it is about."""

import unittest

import pywbem

from own import *  # noqa: F403

FAILED = 1
THING = "TST_Thing"


class Kept(Own):
    def thing(self):
        """A class of things, and nothing of it."""
        key = pywbem.CIMProperty("Id", None, "string", qualifiers=[pywbem.CIMQualifier("Key", True)])
        self.conn.CreateClass(pywbem.CIMClass(THING, properties=[key]))

    def new_thing(self, name):
        self.conn.CreateInstance(pywbem.CIMInstance(THING, {"Id": name}))

    def copy(self, name, namespace):
        """Makes a class with its superclasses in a namespace; their names, subclasses first."""
        for qualifier in self.conn.EnumerateQualifiers():
            self.conn.SetQualifier(qualifier, namespace=namespace)
        classes = []
        while name is not None:
            classes.append(self.conn.GetClass(name, LocalOnly=True))
            name = classes[-1].superclass
        for declared in reversed(classes):
            self.conn.CreateClass(declared, namespace=namespace)
        return [declared.classname for declared in classes]

    def interop(self):
        return connection_to_interop(self.conn)

    def restart(self, server):
        server.stop()
        server.start()
        self.conn = server.conn

    def test_a_filter_outlives_its_class(self):
        server = self.server()
        self.thing()
        query = f"SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA {THING}"
        with Listener() as listener:
            handler, selecting, subscription = subscribe(self.conn, listener.url, query)
            self.conn.DeleteClass(THING)
            self.restart(server)
            interop = self.interop()
            for path in (handler, selecting, subscription):
                self.assertIn(path, interop.EnumerateInstanceNames(path.classname))
            for used in (handler, selecting):
                with self.assertRaises(pywbem.CIMError) as refused:
                    interop.DeleteInstance(used)
                self.assertEqual(refused.exception.status_code, FAILED, used)
            self.thing()
            self.restart(server)
            self.new_thing("one")
            told = listener.next("a thing of a class that is there again")
            self.assertEqual(told["SourceInstance"]["Id"], "one")
            self.conn.DeleteInstance(pywbem.CIMInstanceName(THING, {"Id": "one"}, namespace=NAMESPACE))
            self.conn.DeleteClass(THING)
            self.restart(server)
            interop = self.interop()
            for path in (subscription, selecting, handler):
                interop.DeleteInstance(path)
                self.assertNotIn(path, interop.EnumerateInstanceNames(path.classname))

    def test_a_filter_outlives_one_of_its_namespaces(self):
        server = self.server()
        interop = self.interop()
        gone = "root/gone"
        namespace = interop.CreateInstance(pywbem.CIMInstance("CIM_Namespace", {"Name": gone}))
        classes = self.copy("CIM_InstCreation", gone)
        query = "SELECT * FROM CIM_InstCreation"
        values = {"Query": query, "QueryLanguage": "DMTF:CQL", "SourceNamespaces": [NAMESPACE, gone]}
        selecting = interop.CreateInstance(pywbem.CIMInstance("CIM_IndicationFilter", values))
        with Listener() as listener:
            target = {"Destination": listener.url}
            handler = pywbem.CIMInstance("CIM_ListenerDestinationCIMXML", target)
            handler = interop.CreateInstance(handler)
            ends = {"Filter": selecting, "Handler": handler}
            interop.CreateInstance(pywbem.CIMInstance("CIM_IndicationSubscription", ends))
            for name in classes:
                self.conn.DeleteClass(name, namespace=gone)
            for qualifier in self.conn.EnumerateQualifiers(namespace=gone):
                self.conn.DeleteQualifier(qualifier.name, namespace=gone)
            interop.DeleteInstance(namespace)
            self.restart(server)
            self.assertIn(selecting, self.interop().EnumerateInstanceNames("CIM_IndicationFilter"))
            self.create("/bin/true")
            told = listener.next("a job of the namespace that is left")
            self.assertEqual(told.classname, "CIM_InstCreation")

    def test_a_changed_subscription_remembers_what_it_told(self):
        self.server()
        query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob"
        with Listener() as listener:
            subscription = subscribe(self.conn, listener.url, query)[-1]
            self.create("/bin/true")
            listener.next("the creation of a job")
            interop = self.interop()
            told = interop.GetInstance(subscription)["LastIndicationIdentifier"]
            self.assertIsNotNone(told)
            values = {"SubscriptionInfo": "changed"}
            changed = pywbem.CIMInstance(subscription.classname, values, path=subscription)
            interop.ModifyInstance(changed, PropertyList=list(values))
            shown = interop.GetInstance(subscription)
            self.assertEqual(shown["SubscriptionInfo"], "changed")
            self.assertEqual(shown["LastIndicationIdentifier"], told)

    def test_a_changed_subscription_goes_on_suppressing(self):
        self.server()
        query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA JW_JobQueue"
        policy = {
            "RepeatNotificationPolicy": pywbem.Uint16(3),
            "RepeatNotificationCount": pywbem.Uint16(1),
            "RepeatNotificationInterval": pywbem.Uint64(3600),
        }
        with Listener() as listener:
            # The creation of a job comes after what would have been told of the queue before it.
            marker = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob"
            made = subscribe(self.conn, listener.url, query, marker, **policy)
            subscription = made[2]
            queue = self.conn.EnumerateInstanceNames("JW_JobQueue")[0]

            def limit(count):
                values = {"MaxRunningJobs": pywbem.Uint32(count)}
                changed = pywbem.CIMInstance(queue.classname, values, path=queue)
                self.conn.ModifyInstance(changed, PropertyList=list(values))

            limit(3)
            listener.next("the first change of the queue")
            values = {"SubscriptionInfo": "changed"}
            changed = pywbem.CIMInstance(subscription.classname, values, path=subscription)
            self.interop().ModifyInstance(changed, PropertyList=list(values))
            limit(4)
            self.create("/bin/true")
            told = listener.next("the marker")
            self.assertEqual(told.classname, "CIM_InstCreation")


if __name__ == "__main__":
    unittest.main()
