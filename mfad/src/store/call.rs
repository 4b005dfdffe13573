//! Closures as jobs, and their replies.

use tokio::sync::oneshot;

use super::{
    StoreError,
    tx::{Read, Tx},
    worker::{Ran, ReadJob, WriteJob},
};

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A closure with the place its result goes to. Dropped unanswered, it tells the caller so.
pub(super) struct Call<F, T> {
    pub(super) work: F,
    pub(super) reply: Reply<T>,
}

impl<F, T> ReadJob for Call<F, T>
where
    F: FnOnce(&Read<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(self: Box<Self>, read: Result<Read<'_>, StoreError>) {
        let Self { work, reply } = *self;
        // The caller may have gone away; then nobody wants the answer.
        drop(reply.send(read.and_then(|read| work(&read))));
    }
}

impl<F, T> WriteJob for Call<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send,
    T: Send + 'static,
{
    fn run(self: Box<Self>, tx: &mut Tx<'_>) -> Box<dyn Ran> {
        let Self { work, reply } = *self;
        Box::new(Finished { result: work(tx), reply })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.reply.send(Err(error)));
    }
}

struct Finished<T> {
    result: Result<T, StoreError>,
    reply: Reply<T>,
}

impl<T> Ran for Finished<T> {
    fn error(&self) -> Option<&StoreError> {
        self.result.as_ref().err()
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let Self { result, reply } = *self;
        drop(reply.send(commit.and(result)));
    }
}
