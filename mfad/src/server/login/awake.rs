//! Waits awake for a commit that is almost there.
//!
//! To let a processor fall asleep and wake it again takes tens of microseconds, in virtual machines above all,
//! and a commit takes not many times that. Refuses to do so for long, while other logins are under way, and where
//! others want the processor: it is offered to them between any two looks.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    thread,
    time::{Duration, Instant},
};

use crate::server::admission::Logins;

/// After this the ordinary wait begins. A fast disk has answered by then; with a slow one, what waking costs
/// does not count.
const PATIENCE: Duration = Duration::from_micros(400);

/// What `awaited` comes to. The thread does not sleep at first, if `logins` say that this harms nobody.
pub(super) async fn awake<T>(logins: &Logins, awaited: impl Future<Output = T>) -> T {
    if !logins.are_at_leisure() {
        return awaited.await;
    }
    let mut awaited = pin!(awaited);
    let until = Instant::now() + PATIENCE;
    poll_fn(|context| {
        let polled = awaited.as_mut().poll(context);
        let now = Instant::now();
        if polled.is_pending() && now < until {
            thread::yield_now();
            context.waker().wake_by_ref();
        } else if now > until + PATIENCE {
            // Whoever took the processor that was offered kept it.
            logins.are_crowded();
        }
        polled
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_comes_soon_and_what_comes_late_is_waited_for() {
        let logins = Logins::default();
        assert_eq!(awake(&logins, async { 1 }).await, 1);
        awake(&logins, tokio::time::sleep(PATIENCE.saturating_mul(3))).await;
    }

    #[tokio::test]
    async fn others_have_their_turn_meanwhile() {
        let logins = Logins::default();
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move { tell.send(3) });
        assert_eq!(awake(&logins, told).await, Ok(3));
    }
}
