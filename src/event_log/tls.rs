//! Which implementation of cryptography TLS works with: the clients of the stores bring two, and with two none is chosen by itself.

/// Chooses one for the whole process, unless that was done before. Whoever connects to a server calls this first.
pub(super) fn choose_cryptography() {
    // An error says that one is chosen already, and hands this one back.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
