//! Listening: connections in, each with its own task, and a stop that lets requests end.

#![expect(clippy::disallowed_methods, reason = "connections begin at an instant")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

use super::connections::{Connection, Connections};
use super::http::Transport;
use super::pace::Paced;
use super::tls::Tls;
use super::{Front, Limits, StartError};

/// What a connection beyond the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Pause after a failed accept, which is most often for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket, and what is spoken on it.
struct Socket {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
}

/// The sockets of a server. Without TLS it listens on loopback, and only there.
pub struct Listener {
    sockets: Vec<Socket>,
    address: SocketAddr,
    secure: Option<SocketAddr>,
}

/// What every connection needs.
#[derive(Clone)]
struct Serving {
    front: Arc<Front>,
    limits: Arc<Limits>,
    stop: watch::Receiver<bool>,
}

impl Listener {
    /// Listens on `port` of 127.0.0.1, and of ::1 where the machine has it and the port is free.
    pub async fn bind(port: u16) -> Result<Self, StartError> {
        let (listener, address) = bound((Ipv4Addr::LOCALHOST, port).into()).await?;
        let mut found = Self {
            sockets: vec![Socket {
                listener,
                tls: None,
            }],
            address,
            secure: None,
        };
        found.bind_if_free(address.port(), None).await;
        Ok(found)
    }

    /// Listens for TLS as well, on `port` of loopback and of `others`.
    pub async fn bind_tls(
        &mut self,
        port: u16,
        others: &[IpAddr],
        tls: &Arc<Tls>,
    ) -> Result<(), StartError> {
        // An address that stands for all of them has loopback among them; that of IPv6 has IPv4 too.
        let everything = others.contains(&Ipv6Addr::UNSPECIFIED.into());
        let has_loopback = everything || others.contains(&Ipv4Addr::UNSPECIFIED.into());
        let mut port = port;
        let loopback = (!has_loopback).then_some(Ipv4Addr::LOCALHOST.into());
        for ip in loopback.into_iter().chain(others.iter().copied()) {
            let (listener, address) = bound((ip, port).into()).await?;
            port = address.port();
            self.secure.get_or_insert(address);
            let tls = Some(tls.clone());
            self.sockets.push(Socket { listener, tls });
        }
        if !everything {
            self.bind_if_free(port, Some(tls.clone())).await;
        }
        Ok(())
    }

    async fn bind_if_free(&mut self, port: u16, tls: Option<Arc<Tls>>) {
        if let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            self.sockets.push(Socket { listener, tls });
        }
    }

    /// The IPv4 address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first address that is listened on for TLS.
    pub fn secure_address(&self) -> Option<SocketAddr> {
        self.secure
    }

    /// Serves connections until `stop` says so, then lets the requests under way end.
    pub async fn serve(
        self,
        front: Arc<Front>,
        limits: Arc<Limits>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut tasks = JoinSet::new();
        let mut open = Connections::new();
        let serving = Serving {
            front,
            limits: limits.clone(),
            stop: stop.clone(),
        };
        let mut turn = 0;
        loop {
            tokio::select! {
                (tls, accepted) = accept(&self.sockets, &mut turn) => match accepted {
                    Ok((stream, peer)) if open.make_room(peer.ip(), &limits) => {
                        let connection = Connection::new(peer, Instant::now());
                        let served = serve(stream, tls, connection.clone(), serving.clone());
                        open.insert(tasks.spawn(served).id(), connection);
                    }
                    Ok((stream, _)) => refuse(&stream),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = tasks.join_next_with_id() => open.remove(task_of(&ended)),
                () = stopped(&mut stop) => break,
            }
        }
        let drained = async { while tasks.join_next().await.is_some() {} };
        if timeout(limits.drain_time, drained).await.is_err() {
            tracing::warn!("connections were cut off at the stop");
        }
    }
}

async fn bound(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        address: wanted,
        source,
    };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn task_of(ended: &Result<(Id, ()), tokio::task::JoinError>) -> Id {
    match ended {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    }
}

/// Waits for the word to stop; a teller who has gone means it too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

/// The next connection of any socket, and what is spoken on it. Another socket has the first `turn`
/// each time, so that none is kept waiting by the others.
async fn accept(
    sockets: &[Socket],
    turn: &mut usize,
) -> (Option<Arc<Tls>>, io::Result<(TcpStream, SocketAddr)>) {
    *turn = (*turn + 1) % sockets.len().max(1);
    let (late, early) = sockets.split_at(*turn);
    poll_fn(|cx| {
        for socket in early.iter().chain(late) {
            if let Poll::Ready(accepted) = socket.listener.poll_accept(cx) {
                return Poll::Ready((socket.tls.clone(), accepted));
            }
        }
        Poll::Pending
    })
    .await
}

/// A full server says so if that can be said without waiting.
fn refuse(stream: &TcpStream) {
    if stream.try_write(FULL).is_err() {
        tracing::debug!("a connection beyond the limit went away untold");
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    connection: Arc<Connection>,
    serving: Serving,
) {
    let peer = connection.peer;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection went at once");
        return;
    }
    let left = connection.clone();
    let served = async {
        let Some(tls) = tls else {
            return speak(stream, Transport::Plain, connection, serving).await;
        };
        let accepted = timeout(serving.limits.handshake_time, tls.accept(stream)).await;
        match accepted {
            Ok(Ok(mut stream)) => {
                // hyper leaves the end of a connection to us: TLS says good-bye.
                speak(&mut stream, Transport::Tls, connection, serving).await?;
                stream.shutdown().await.ok();
                Ok(())
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err("the handshake took too long".into()),
        }
    };
    let ended = tokio::select! {
        ended = served => ended,
        () = left.leave.notified() => Err("it made room for another".into()),
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended");
    }
}

/// Why a connection ended otherwise than in order.
type Ended = Box<dyn std::error::Error + Send + Sync>;

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    transport: Transport,
    connection: Arc<Connection>,
    mut serving: Serving,
) -> Result<(), Ended> {
    let limits = &serving.limits;
    let io = TokioIo::new(Paced::new(stream, connection.clone(), limits));
    let front = serving.front;
    let answer = service_fn(move |request| {
        let answer = (front.clone()).answer(connection.clone(), transport, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle_time)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes)
        .half_close(false);
    let mut served = std::pin::pin!(http.serve_connection(io, answer));
    tokio::select! {
        ended = served.as_mut() => return Ok(ended?),
        () = stopped(&mut serving.stop) => {}
    }
    served.as_mut().graceful_shutdown();
    Ok(served.await?)
}
