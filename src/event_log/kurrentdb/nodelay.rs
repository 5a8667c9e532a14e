//! Lets requests leave at once.
//!
//! `eventstore` 4.0.0 does not set `TCP_NODELAY` on its connections, and offers no way to. Each of its requests is two small
//! writes: the kernel keeps the second back until the server has confirmed the first, and the server takes 40 ms before it does.
//! So the option is set from outside, on what this process has open. Where the system does not allow that, requests take longer.

use std::fs::read_dir;
use std::os::fd::RawFd;

use rustix::net::sockopt::set_tcp_nodelay;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Sets the option on every TCP connection of this process: there is none that would be better off without.
pub(super) fn set_on_all_connections() -> std::io::Result<()> {
    let this_process = pidfd_open(getpid(), PidfdFlags::empty())?;
    for entry in read_dir("/proc/self/fd")?.flatten() {
        let is_socket = entry.path().read_link().is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        let number = entry.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
        if let Some(number) = number.filter(|_| is_socket) {
            // It may have been closed meanwhile.
            if let Ok(socket) = pidfd_getfd(&this_process, number, PidfdGetfdFlags::empty()) {
                // Those that are not TCP have no such option.
                let _ = set_tcp_nodelay(&socket, true);
            }
        }
    }
    Ok(())
}
