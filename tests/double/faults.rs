//! What the double can be made to do wrong, and who is connected to it.

use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::watch;

/// What the double does wrong.
pub struct Faults {
    /// So many appends are recorded, and instead of being answered lose their connection.
    pub lost_replies: AtomicU64,
    /// So long each answer is held back, in milliseconds.
    pub delay: AtomicU64,
    /// Which of the nodes leads.
    pub leader: AtomicUsize,
    /// Nothing is done, and everybody is told so.
    pub is_not_ready: AtomicBool,
    /// Subscriptions are left open, and are told nothing.
    pub is_mute: AtomicBool,
    /// Positions of events in stream reads are left out, as by servers of old.
    pub hides_positions: AtomicBool,
    /// Bytes that one append may have.
    pub append_bytes: AtomicUsize,
    /// Changes when all subscriptions are to be ended in good order.
    pub subscriptions_end: watch::Sender<u64>,
    /// Subscriptions that are open.
    pub subscriptions: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

impl Faults {
    pub fn none(append_bytes: usize) -> Self {
        Self {
            lost_replies: AtomicU64::new(0),
            delay: AtomicU64::new(0),
            leader: AtomicUsize::new(0),
            is_not_ready: AtomicBool::new(false),
            is_mute: AtomicBool::new(false),
            hides_positions: AtomicBool::new(false),
            append_bytes: AtomicUsize::new(append_bytes),
            subscriptions_end: watch::Sender::new(0),
            subscriptions: AtomicUsize::new(0),
            connections: Mutex::default(),
        }
    }

    /// Notes a connection, to be able to break it.
    pub fn connected(&self, connection: TcpStream) {
        self.connections.lock().unwrap().push(connection);
    }

    /// Breaks every connection, in the midst of whatever it is used for.
    pub fn drop_connections(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Does what a test asks for. What is to be told; `None` if nobody knows what was asked for.
    pub fn set(&self, request: &str) -> Option<String> {
        let (what, number) = request.split_once(' ').unwrap_or((request, ""));
        let count = || number.parse::<u64>().unwrap();
        match what {
            "drop-connections" => self.drop_connections(),
            "lose-replies" => self.lost_replies.store(count(), Ordering::SeqCst),
            "end-subscriptions" => self.subscriptions_end.send_modify(|epoch| *epoch += 1),
            "mute" => self.is_mute.store(count() == 1, Ordering::SeqCst),
            "not-ready" => self.is_not_ready.store(count() == 1, Ordering::SeqCst),
            "hide-positions" => self.hides_positions.store(count() == 1, Ordering::SeqCst),
            "delay" => self.delay.store(count(), Ordering::SeqCst),
            "leader" => self.leader.store(count() as usize, Ordering::SeqCst),
            "append-bytes" => self.append_bytes.store(count() as usize, Ordering::SeqCst),
            "subscriptions" => return Some(self.subscriptions.load(Ordering::SeqCst).to_string()),
            _ => return None,
        }
        Some("done".to_owned())
    }
}
