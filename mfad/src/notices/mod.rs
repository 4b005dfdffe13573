//! Has people told of what happens to factors: follows the trail, and egress does the telling.
//!
//! At least once: how far it has come is durable only after egress has taken a notice, so that a crash tells
//! twice and loses nothing. Refuses to hold up a login (the trail is the queue), to let one notice that
//! cannot be told hold up the others, and to tell what is older than a day.

mod backlog;
mod words;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::{info, warn};

use self::backlog::Backlog;
use crate::{
    core::Core,
    outgoing::{Line, Undone},
    settings::Settings,
    store::{News, StoreError},
};

/// What happened longer ago than this many seconds is not told any more.
pub const OLDEST: i64 = 86_400;

/// Notices told between two looks at the trail.
const PAGE: usize = 32;
/// What egress may take beyond what the program that is told may.
const SLACK: Duration = Duration::from_secs(10);
/// How long to wait for a store that fails.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// Rows without news that are passed over before that is written down.
const FAR: i64 = 10_000;

/// Follows the trail until the task is dropped.
pub async fn run(core: Arc<Core>) {
    let mut follower = Follower { core: &core, backlog: None, ailing: false };
    loop {
        let settings = core.settings();
        match follower.round(&settings).await {
            Ok(()) => follower.ailing = false,
            Err(error) => {
                if !std::mem::replace(&mut follower.ailing, true) {
                    warn!("nobody can be told of anything: {error}; trying again");
                }
                tokio::time::sleep(STORE_PAUSE).await;
                continue;
            }
        }
        follower.rest(&settings).await;
    }
}

struct Follower<'a> {
    core: &'a Core,
    /// `None` when nobody is told of anything.
    backlog: Option<Backlog>,
    /// The store failed, and that was logged.
    ailing: bool,
}

/// Why a notice was not told.
enum Untold {
    /// This one cannot be told now.
    ThisOne(Undone),
    /// None can.
    Any(Undone),
}

impl Follower<'_> {
    /// Tells what there is to tell now.
    async fn round(&mut self, settings: &Settings) -> Result<(), StoreError> {
        let store = self.core.store();
        let Some(line) = settings.line().filter(|_| settings.config().notify().is_on()) else {
            store.unfollow_news().await?;
            self.backlog = None;
            return Ok(());
        };
        let place = store.follow_news().await?;
        // A copy that was put back has a trail of its own: what is known of the one before says nothing of it.
        let backlog = self.backlog.take().filter(|backlog| backlog.is_of(place));
        let mut backlog = backlog.unwrap_or_else(|| Backlog::new(place));
        let done = self.work(&mut backlog, (settings, line)).await;
        self.backlog = Some(backlog);
        done
    }

    async fn work(
        &self,
        backlog: &mut Backlog,
        (settings, line): (&Settings, &Line),
    ) -> Result<(), StoreError> {
        let store = self.core.store();
        if !backlog.is_open(Instant::now()) {
            return Ok(());
        }
        for seq in backlog.due(Instant::now()) {
            let page = store.news_after(seq.saturating_sub(1), 1).await?;
            match page.news.into_iter().find(|news| news.row.seq == seq) {
                Some(news) => self.tell(backlog, (settings, line), news).await,
                // It left the trail meanwhile.
                None => backlog.done(seq),
            }
        }
        while backlog.is_open(Instant::now()) && backlog.has_room() {
            let page = store.news_after(backlog.seen(), PAGE).await?;
            let (mut upto, more) = (page.upto, page.more);
            if upto < backlog.seen() {
                // Whoever put it there has woken this task for another round.
                backlog.look_again();
                break;
            }
            for news in page.news {
                let seq = news.row.seq;
                self.tell(backlog, (settings, line), news).await;
                if !backlog.is_open(Instant::now()) {
                    upto = seq.saturating_sub(1);
                    break;
                }
                backlog.saw(seq);
            }
            backlog.saw(upto);
            if !more {
                break;
            }
        }
        if let Some(place) = backlog.place_to_write(FAR) {
            store.news_told(place).await?;
            backlog.wrote(place);
        }
        Ok(())
    }

    /// Tells one, if it is to be told.
    async fn tell(&self, backlog: &mut Backlog, (settings, line): (&Settings, &Line), news: News) {
        let seq = news.row.seq;
        let notify = settings.config().notify();
        if !notify.tells(news.kind) {
            return backlog.done(seq);
        }
        if self.core.now().since(crate::clock::UnixTime(news.row.time)) > OLDEST {
            warn!("row {seq} of the trail ({}) is older than a day: nobody is told of it", news.row.event);
            return backlog.done(seq);
        }
        let event = news.row.event.clone();
        let Some(notice) = words::notice(news, notify.mail_user) else { return backlog.done(seq) };
        let patience = line.patience().max(notify.hook_timeout.saturating_add(SLACK));
        let told = self.core.outgoing().notify(line, notice, patience).await;
        match told.map_err(untold) {
            Ok(()) => {
                if backlog.done_after_failures(seq) {
                    info!("people were told of row {seq} of the trail ({event})");
                }
            }
            Err(Untold::ThisOne(why)) => {
                if backlog.failed(seq, Instant::now()) {
                    warn!("people were not told of row {seq} of the trail ({event}): {why}; trying again");
                }
            }
            Err(Untold::Any(why)) => {
                if backlog.stuck(Instant::now()) {
                    warn!("nobody can be told of row {seq} of the trail ({event}): {why}; trying again");
                }
            }
        }
    }

    /// Waits until there may be something to do.
    async fn rest(&mut self, settings: &Arc<Settings>) {
        loop {
            let news = self.core.store().news().notified();
            let next = self.backlog.as_ref().and_then(Backlog::next);
            match next {
                None => news.await,
                Some(next) => {
                    if tokio::time::timeout_at(next, news).await.is_err() {
                        return;
                    }
                }
            }
            let changed = !Arc::ptr_eq(settings, &self.core.settings());
            if changed && let Some(backlog) = &mut self.backlog {
                backlog.begin_waits_anew();
            }
            // While egress is away, what happens only makes the backlog longer.
            if changed || self.backlog.as_ref().is_none_or(|backlog| backlog.is_open(Instant::now())) {
                return;
            }
        }
    }
}

/// Whether another notice would fare better.
fn untold(undone: Undone) -> Untold {
    match undone {
        Undone::Failed(_) | Undone::TimedOut => Untold::ThisOne(undone),
        Undone::Unconfigured
        | Undone::Busy
        | Undone::Unreachable { .. }
        | Undone::Stranger { .. }
        | Undone::Broken(_)
        | Undone::Senseless => Untold::Any(undone),
    }
}
