//! The listener that takes indications: it says so when it has no room, and takes the same again later.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use jobwright::client::Listener;

fn message(id: u32) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"{id}\" PROTOCOLVERSION=\"1.0\">\
         <SIMPLEEXPREQ><EXPMETHODCALL NAME=\"ExportIndication\">\
         <EXPPARAMVALUE NAME=\"NewIndication\"><INSTANCE CLASSNAME=\"CIM_InstCreation\">\
         <PROPERTY NAME=\"SequenceNumber\" TYPE=\"sint64\"><VALUE>{id}</VALUE></PROPERTY>\
         </INSTANCE></EXPPARAMVALUE></EXPMETHODCALL></SIMPLEEXPREQ></MESSAGE></CIM>"
    )
}

/// What the listener answers to an indication of that number.
fn export(address: SocketAddr, id: u32) -> String {
    let body = message(id);
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/xml; charset=utf-8\r\nCIMExport: MethodRequest\r\n\
         CIMExportMethod: ExportIndication\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the listener reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("an answer in UTF-8");
    answer
}

async fn exported(address: SocketAddr, id: u32) -> String {
    let answer = tokio::task::spawn_blocking(move || export(address, id)).await;
    let answer = answer.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("ID=\"{id}\"")), "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_an_error_until_there_is_room_again() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let bound = Listener::bind(any, 2).await;
    let (listener, mut arrivals) = bound.expect("a port of loopback");
    let address = listener.address().expect("its address");
    let serving = tokio::spawn(async move { listener.serve().await });
    for id in [0, 1] {
        let answer = exported(address, id).await;
        assert!(!answer.contains("<ERROR"), "{answer}");
    }
    let full = exported(address, 2).await;
    assert!(full.contains("<ERROR CODE=\"1\""), "{full}");
    assert!(full.contains("queue is full"), "{full}");
    let mut numbers = Vec::new();
    let mut number = async || {
        let received = arrivals.recv().await.expect("an indication");
        let property = received.indication.get("SequenceNumber").cloned();
        numbers.push(property.expect("the property").value.shown());
    };
    number().await;
    let answer = exported(address, 2).await;
    assert!(!answer.contains("<ERROR"), "{answer}");
    number().await;
    number().await;
    assert_eq!(
        numbers,
        ["\"0\"", "\"1\"", "\"2\""],
        "what was refused is not taken twice"
    );
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_are_taken_than_are_wanted() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let bound = Listener::bind(any, 9).await;
    let (listener, mut arrivals) = bound.expect("a port of loopback");
    let address = listener.address().expect("its address");
    let listener = listener.with_limit(Some(2));
    let serving = tokio::spawn(async move { listener.serve().await });
    for id in [0, 1] {
        let answer = exported(address, id).await;
        assert!(!answer.contains("<ERROR"), "{answer}");
    }
    for id in [2, 3] {
        let refused = exported(address, id).await;
        assert!(refused.contains("<ERROR CODE=\"1\""), "{refused}");
        assert!(refused.contains("all it wants"), "{refused}");
    }
    arrivals.close();
    let mut taken = 0;
    while arrivals.recv().await.is_some() {
        taken += 1;
    }
    assert_eq!(taken, 2, "what was refused is not there");
    serving.abort();
}
