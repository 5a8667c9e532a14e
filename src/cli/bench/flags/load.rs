//! The load: connections that are kept open, each of which asks again as soon as it has the answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::CliError;
use super::super::figures::percentile;

/// How much load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// For how long.
    pub time: Duration,
    /// How many connections.
    pub connections: u32,
}

/// What is asked, again and again.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The path, with its query.
    pub path: String,
    /// The headers, each with its line's end.
    pub headers: String,
    /// The body.
    pub body: String,
}

/// An answer.
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let Self { method, path, headers, body } = self;
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    }

    /// Asks once.
    pub async fn ask(&self, address: SocketAddr) -> Result<Answered, CliError> {
        let mut connection = Connection::open(address).await?;
        let status = connection.ask(&self.bytes(address)).await?;
        Ok(Answered { status, body: connection.body().to_vec() })
    }
}

/// How long the answers took.
pub struct Outcome {
    latencies: Vec<Duration>,
    time: Duration,
}

impl Outcome {
    /// How many answers there were.
    #[allow(clippy::cast_precision_loss, reason = "figures are for people")]
    pub fn answers(&self) -> f64 {
        self.latencies.len() as f64
    }

    /// Answers per second.
    pub fn per_second(&self) -> f64 {
        self.answers() / self.time.as_secs_f64()
    }

    /// The time within which this part of the answers came.
    pub fn percentile(&self, part: f64) -> Duration {
        percentile(&self.latencies, part)
    }
}

/// Puts load on a server. Every answer must be 200.
pub async fn run(address: SocketAddr, request: &Request, load: &Load) -> Result<Outcome, CliError> {
    run_until(address, request, load.connections, tokio::time::sleep(load.time)).await
}

/// Puts load on a server until something has come about.
pub async fn run_until(
    address: SocketAddr,
    request: &Request,
    connections: u32,
    end: impl Future<Output = ()>,
) -> Result<Outcome, CliError> {
    let bytes = request.bytes(address);
    let ended = std::cell::Cell::new(false);
    let started = Instant::now();
    let ask_on = async || -> Result<Vec<Duration>, CliError> {
        let mut connection = Connection::open(address).await?;
        let mut latencies = Vec::new();
        while !ended.get() {
            let asked = Instant::now();
            let status = connection.ask(&bytes).await?;
            if status != 200 {
                return Err(format!("{} {} was answered {status}", request.method, request.path).into());
            }
            latencies.push(asked.elapsed());
        }
        Ok(latencies)
    };
    let load = futures_util::future::try_join_all((0..connections).map(|_| ask_on()));
    let end = async {
        end.await;
        ended.set(true);
        Ok::<_, CliError>(())
    };
    // All on this thread: the load has one core.
    let (latencies, ()) = tokio::try_join!(load, end)?;
    Ok(Outcome { latencies: latencies.concat(), time: started.elapsed() })
}

/// A connection that is kept open.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: std::ops::Range<usize>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, CliError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 16), body: 0..0 })
    }

    fn body(&self) -> &[u8] {
        &self.buffer[self.body.clone()]
    }

    /// Asks, and reads the answer to its end. Returns its status.
    async fn ask(&mut self, request: &[u8]) -> Result<u16, CliError> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the connection was closed".into());
            }
            let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head])?;
            let status = text.split(' ').nth(1).ok_or("an answer without a status")?.parse()?;
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            let end = head + 4 + length.ok_or("an answer without a length")?;
            self.body = head + 4..end;
            while self.buffer.len() < end {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the connection was closed in the middle".into());
                }
            }
            return Ok(status);
        }
    }
}
