//! Many connections that ask the same again and again, and what came of it.

use std::time::{Duration, Instant};

use super::Outcome;
use super::connection::{Connection, Server};
use super::messages::Call;

/// How hard and how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Connections at a time.
    pub connections: usize,
    /// For so long.
    pub time: Duration,
}

/// How often two servers take turns.
const TURNS: u32 = 10;

/// What was measured.
#[derive(Debug, Default)]
pub struct Figures {
    latencies: Vec<Duration>,
    time: Duration,
}

impl Figures {
    fn add(&mut self, more: Self) {
        self.latencies.extend(more.latencies);
        self.latencies.sort_unstable();
        self.time += more.time;
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        super::rate(self.latencies.len(), self.time)
    }

    /// The latency that so many of a hundred requests keep below.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = self.latencies.len() * percent / 100;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies
            .get(at.min(last))
            .copied()
            .unwrap_or_default()
    }
}

/// What `server` and `other` do in turns, so that what slows the machine down for a while slows both.
pub async fn in_turns(
    (server, calls): (&Server, &[Call]),
    other: &Server,
    plan: Plan,
) -> Outcome<[Figures; 2]> {
    let turn = Plan {
        time: plan.time / TURNS,
        ..plan
    };
    let mut both = [Figures::default(), Figures::default()];
    for _ in 0..TURNS {
        both[0].add(hammer(server, turn, calls).await?);
        both[1].add(hammer(other, turn, calls).await?);
    }
    Ok(both)
}

/// Asks on every connection, one request after the other and `calls` in turns, for the time of `plan`.
pub async fn hammer(server: &Server, plan: Plan, calls: &[Call]) -> Outcome<Figures> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..plan.connections)
        .map(|_| tokio::spawn(one(server.clone(), calls.to_vec(), start + plan.time)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    latencies.sort_unstable();
    Ok(Figures {
        latencies,
        time: start.elapsed(),
    })
}

async fn one(server: Server, calls: Vec<Call>, end: Instant) -> Outcome<Vec<Duration>> {
    let mut connection = Connection::open(&server).await?;
    let mut latencies = Vec::new();
    let mut now = Instant::now();
    for call in calls.iter().cycle() {
        if now >= end {
            break;
        }
        let answer = connection.ask(call).await?;
        let done = Instant::now();
        latencies.push(done - now);
        now = done;
        if answer.is_empty() {
            return Err("an empty answer".into());
        }
    }
    Ok(latencies)
}
