//! What is away is spoken of twice: when it is missed, and when it is back; not each time that it is tried meanwhile.

use std::time::Duration;

use tokio::time::Instant;

/// How long something has been away, if it is.
#[derive(Debug, Default)]
pub struct Outage(Option<Instant>);

impl Outage {
    /// Notes that it was tried in vain. True if that is news.
    pub fn notice(&mut self) -> bool {
        let is_news = self.0.is_none();
        self.0.get_or_insert_with(Instant::now);
        is_news
    }

    /// Notes that it is there. How long it was away, if it was: that is news.
    pub fn end(&mut self) -> Option<Duration> {
        self.0.take().map(|since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Outage;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_news_when_it_begins_and_when_it_ends() {
        let mut outage = Outage::default();
        assert_eq!(outage.end(), None);
        assert!(outage.notice());
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(!outage.notice());
        }
        assert_eq!(outage.end(), Some(Duration::from_secs(3)));
        assert_eq!(outage.end(), None);
        assert!(outage.notice());
    }
}
