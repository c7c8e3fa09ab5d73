//! DNS-SD on loopback: a server is found by its announcement, and is gone from there when it stops.

use std::process::Command;
use std::time::{Duration, Instant};

use mdns_sd::{IfKind, Receiver, ServiceDaemon, ServiceEvent};

use crate::support::{Server, state_dir};

/// How long an announcement may take on a busy machine: names are probed for before they are used.
const PATIENCE: Duration = Duration::from_mins(1);

/// The first thing that `wanted` finds in what is heard.
fn heard<T>(events: &Receiver<ServiceEvent>, wanted: impl Fn(ServiceEvent) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let event = events.recv_deadline(end);
        let event = event.unwrap_or_else(|error| panic!("not heard in time: {error}"));
        if let Some(found) = wanted(event) {
            return found;
        }
    }
}

#[test]
fn a_server_is_found_where_it_listens_and_gone_when_it_stops() {
    let state = state_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobwright"));
    command
        .args(["serve", "--port", "0", "--state-dir"])
        .arg(state.path())
        .env("JOBWRIGHT_DNS_SD", "true");
    let server = Server::start_by(state.path(), &mut command);
    let browser = ServiceDaemon::new().expect("a thread");
    browser.disable_interface(IfKind::All).expect("it listens");
    browser
        .enable_interface(IfKind::LoopbackV4)
        .expect("it listens");
    let secure = server.secure_url("localhost");
    let secure_port = secure.rsplit(':').next().and_then(|port| port.parse().ok());
    let ways = [
        ("_wbem-http._tcp.local.", server.port()),
        ("_wbem-https._tcp.local.", secure_port.expect("a port")),
    ];
    let found: Vec<_> = ways
        .iter()
        .map(|(kind, port)| {
            let events = browser.browse(kind).expect("it listens");
            let name = heard(&events, |event| match event {
                // Servers of other tests may be there too.
                ServiceEvent::ServiceResolved(found) if found.get_port() == *port => {
                    assert_eq!(found.get_property_val_str("path"), Some("/cimom"));
                    let addresses = found.get_addresses_v4();
                    assert!(addresses.iter().all(std::net::Ipv4Addr::is_loopback));
                    Some(found.get_fullname().to_owned())
                }
                _ => None,
            });
            (events, name)
        })
        .collect();
    assert!(server.stop().success());
    for (events, name) in &found {
        heard(events, |event| match event {
            ServiceEvent::ServiceRemoved(_, gone) => (gone == *name).then_some(()),
            _ => None,
        });
    }
    drop(browser.shutdown());
}
