"""What the tests of indications share: a listener that remembers, and subscriptions to it."""

import queue
import threading

import pywbem

from common import *  # noqa: F403

INTEROP = "interop"
LIFE = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_ConcreteJob"


class Listener:
    """A WBEMListener on a loopback port that keeps what it takes in the order it came."""

    def __init__(self, port=0, scheme="http", **options):
        self.taken = queue.Queue()
        self.port = port or free_port()
        self.scheme = scheme
        ports = {f"{scheme}_port": self.port}
        self.listener = pywbem.WBEMListener("127.0.0.1", **ports, **options)
        self.listener.add_callback(self.take)
        self.gate = threading.Event()
        self.gate.set()

    def take(self, indication, _host):
        self.gate.wait()
        self.taken.put(indication)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        self.listener.start()
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.listener.stop()

    def next(self, what="an indication"):
        try:
            return self.taken.get(timeout=DEADLINE_SECONDS)
        except queue.Empty:
            raise AssertionError(f"waited {DEADLINE_SECONDS} s in vain for {what}") from None

    def until(self, condition, what):
        """The indications up to the first one for which the condition holds."""
        found = []
        while True:
            indication = self.next(what)
            found.append(indication)
            if condition(indication):
                return found


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def subscribe(
    conn,
    url,
    *queries,
    language="DMTF:CQL",
    kind="CIM_ListenerDestinationCIMXML",
    namespace=NAMESPACE,
    **values,
):
    """Filters for the queries, a destination, and a subscription of each filter to it."""
    conn = connection_to_interop(conn)
    handler = conn.CreateInstance(pywbem.CIMInstance(kind, {"Destination": url}))
    made = [handler]
    for query in queries:
        path = conn.CreateInstance(
            pywbem.CIMInstance(
                "CIM_IndicationFilter",
                {"Query": query, "QueryLanguage": language, "SourceNamespaces": [namespace]},
            )
        )
        ends = {"Filter": path, "Handler": handler}
        subscription = pywbem.CIMInstance("CIM_IndicationSubscription", {**ends, **values})
        made += [path, conn.CreateInstance(subscription)]
    return made


def manager_of(conn):
    """pywbem's subscription manager, which knows as its own what one with its name left on the
    server, and what it calls the server."""
    manager = pywbem.WBEMSubscriptionManager("jobwright")
    return manager, manager.add_server(pywbem.WBEMServer(conn))


def subscribe_by_manager(conn, url, *queries, owned=True):
    """What `subscribe` makes, made by pywbem's manager; the paths in the order of removal."""
    manager, server = manager_of(conn)

    def called(kind, name):
        # The manager finds its own by a part of the name that it gives them itself.
        return {f"{kind}_id": name} if owned else {"name": f"permanent:{name}"}

    destination = manager.add_destination(server, url, owned=owned, **called("destination", "d"))
    filters, subscriptions = [], []
    for number, query in enumerate(queries):
        names = called("filter", f"f{number}")
        filters.append(
            manager.add_filter(server, NAMESPACE, query, "DMTF:CQL", owned=owned, **names)
        )
        ends = filters[-1].path, destination.path
        subscriptions += manager.add_subscriptions(server, *ends, owned=owned)
    return [made.path for made in [*subscriptions, *filters, destination]]


def connection_to_interop(conn):
    return pywbem.WBEMConnection(conn.url, conn.creds, default_namespace=INTEROP, timeout=60)


def is_gone(indication):
    return indication.classname == "CIM_InstDeletion"


def numbers(indications):
    return [(i["SequenceContext"], i["SequenceNumber"]) for i in indications]


class EventCase(Case):
    def subscribe(self, listener, *queries, **values):
        made = subscribe(self.conn, listener.url, *queries, **values)
        conn = connection_to_interop(self.conn)
        self.addCleanup(lambda: [conn.DeleteInstance(path) for path in reversed(made)])
        return made

    def assert_manager_removes_its_own(self, made):
        """A manager that starts anew finds what one with its name had made, and removes it."""
        manager, server = manager_of(self.conn)
        found = manager.get_owned_subscriptions(server) + manager.get_owned_filters(server)
        found += manager.get_owned_destinations(server)
        self.assertEqual([instance.path for instance in found], made)
        manager.remove_all_servers()
        self.assert_removed(made)

    def assert_manager_removes_permanent(self, made):
        """What no manager owns is found by all, and stays until it is removed by its path."""
        manager, server = manager_of(self.conn)
        subscription, selecting, destination = made
        self.assertEqual(manager.get_owned_subscriptions(server), [])
        for found in (manager.get_all_subscriptions(server), manager.get_all_destinations(server)):
            self.assertEqual(len(found), 1)
        manager.remove_all_servers()
        self.conn.GetInstance(subscription)
        manager, server = manager_of(self.conn)
        manager.remove_subscriptions(server, subscription)
        manager.remove_filter(server, selecting)
        manager.remove_destinations(server, destination)
        self.assert_removed(made)

    def assert_removed(self, made):
        for path in made:
            self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetInstance, path)

    def assert_gapless(self, indications):
        """Within each context the numbers count up from the first one seen; contexts do not mix."""
        contexts = []
        for context, number in numbers(indications):
            if not contexts or contexts[-1][0] != context:
                contexts.append((context, []))
            contexts[-1][1].append(number)
        names = [context for context, _ in contexts]
        self.assertEqual(len(set(names)), len(names), f"a context comes back: {names}")
        for context, found in contexts:
            expected = list(range(found[0], found[0] + len(found)))
            self.assertEqual(found, expected, f"in {context}")
        return contexts

    def assert_connected(self, indications):
        """Each modification starts from the state that the indication before it told."""
        states = {}
        for indication in indications:
            source = indication["SourceInstance"]
            known = states.get(source["InstanceID"])
            if indication.classname == "CIM_InstCreation":
                self.assertIsNone(known, "created twice")
            elif indication.classname == "CIM_InstModification":
                self.assertEqual(indication["PreviousInstance"]["JobState"], known)
            else:
                self.assertEqual(source["JobState"], known)
            states[source["InstanceID"]] = source["JobState"]
        return states
