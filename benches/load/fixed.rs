//! A server on the same HTTP stack that answers every request with the same bytes: what could be
//! reached if an operation cost nothing.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Child as Process, Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::Outcome;
use super::connection::Server;

/// Serves `bytes` bytes for each request, until the process is ended. The address is its first line.
pub async fn serve(bytes: usize) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let body = Bytes::from(vec![b'x'; bytes]);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let body = body.clone();
            async move {
                // What is asked is read, as a server must.
                drop(request.into_body().collect().await);
                let response = Response::builder()
                    .header("Content-Type", "application/xml; charset=\"utf-8\"")
                    .body(Full::new(body));
                Ok::<_, Infallible>(response.unwrap_or_default())
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// That server in a process of its own, which ends with this value.
pub struct Child {
    process: Process,
    url: String,
}

impl Child {
    /// Starts it, on the processor `core` where one is named.
    pub fn start(bytes: usize, core: Option<usize>) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        let mut command = match core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut process = command
            .args(["--fixed", &bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        Ok(Self {
            process,
            url: url.trim().to_owned(),
        })
    }

    /// Where it is.
    pub fn server(&self) -> Outcome<Server> {
        Server::new(&self.url, "nobody", "")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
