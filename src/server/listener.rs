//! Listening: connections in, each with its own task, and a stop that lets requests end.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::stall::Stall;
use super::{Front, Limits, StartError};

/// What a connection beyond the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Pause after a failed accept, which is most often for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The sockets of a server that listens on loopback, and only there.
pub struct Listener {
    sockets: Vec<TcpListener>,
    address: SocketAddr,
}

impl Listener {
    /// Listens on `port` of 127.0.0.1, and of ::1 where the machine has it and the port is free.
    pub async fn bind(port: u16) -> Result<Self, StartError> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |source| StartError::Listen {
            address: wanted,
            source,
        };
        let socket = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let mut sockets = vec![socket];
        sockets.extend(
            TcpListener::bind((Ipv6Addr::LOCALHOST, address.port()))
                .await
                .ok(),
        );
        Ok(Self { sockets, address })
    }

    /// The IPv4 address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves connections until `stop` says so, then lets the requests under way end.
    pub async fn serve(
        self,
        front: Arc<Front>,
        limits: Arc<Limits>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut connections = JoinSet::new();
        let told = stop.clone();
        loop {
            tokio::select! {
                accepted = accept(&self.sockets) => match accepted {
                    Ok((stream, peer)) if connections.len() < limits.connections => {
                        let serving = serve(stream, peer, (front.clone(), limits.clone()), told.clone());
                        connections.spawn(serving);
                    }
                    Ok((stream, _)) => refuse(stream).await,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = stopped(&mut stop) => break,
            }
        }
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain_time, drained)
            .await
            .is_err()
        {
            tracing::warn!("connections were cut off at the stop");
        }
    }
}

/// Waits for the word to stop; a teller who has gone means it too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

async fn accept(sockets: &[TcpListener]) -> std::io::Result<(TcpStream, SocketAddr)> {
    match sockets {
        [one, two] => tokio::select! {
            accepted = one.accept() => accepted,
            accepted = two.accept() => accepted,
        },
        [one, ..] => one.accept().await,
        [] => std::future::pending().await,
    }
}

/// A full server says so; it does not wait for a client that does not listen.
async fn refuse(mut stream: TcpStream) {
    drop(tokio::time::timeout(ACCEPT_PAUSE, stream.write_all(FULL)).await);
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    (front, limits): (Arc<Front>, Arc<Limits>),
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection went at once");
        return;
    }
    let io = TokioIo::new(Stall::new(stream, limits.stall_time));
    let answer = service_fn(move |request| {
        let front = front.clone();
        async move { Ok::<_, std::convert::Infallible>(front.answer(peer, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes)
        .half_close(false);
    let mut connection = std::pin::pin!(http.serve_connection(io, answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stopped(&mut stop) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended badly");
    }
}
