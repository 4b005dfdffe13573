//! What the tests of adoption share: what a directory says, and what is held after it.

use mfa_proto::{
    admin::{AuditFilter, FactorDetail, FactorKind, FactorState},
    name::{ClientName, FactorLabel},
};
use mfad::{
    factor::{Address, Params, Secret},
    store::{AccountView, Adopt, Channel, Entry, Order, StoreError, Target, Unusable},
};

use crate::store_common::*;

pub(crate) use mfa_proto::admin::{DirectoryChange as Change, PulledFactor as Changed};

pub(crate) const ALL: [FactorKind; 3] = [FactorKind::Sms, FactorKind::Mail, FactorKind::Totp];

/// An entry that has nothing, of all that is asked for.
pub(crate) fn nothing() -> Entry {
    Entry { kinds: ALL.to_vec(), has: Vec::new(), unusable: Vec::new() }
}

pub(crate) fn secret_of(bytes: &[u8]) -> (Params, Secret) {
    (TOTP, seed(bytes).into())
}

pub(crate) fn phone(number: &str) -> (Params, Secret) {
    (Params::Sms { digits: 6 }, Address::number(&secret(number)).unwrap().into())
}

pub(crate) fn mailbox(address: &str) -> (Params, Secret) {
    (Params::Mail { digits: 6 }, Address::mail(&secret(address)).unwrap().into())
}

pub(crate) fn has<const N: usize>(items: [(Params, Secret); N]) -> Entry {
    Entry { has: items.into(), ..nothing() }
}

/// The same with a sealed value beside it that does not open.
pub(crate) fn garbled(entry: Entry) -> Entry {
    let why = "it does not open".to_owned();
    Entry { unusable: vec![Unusable { kind: FactorKind::Totp, word: "sealed", why }], ..entry }
}

pub(crate) fn wish(name: &str, entry: Entry) -> Adopt {
    Adopt { order: order(name), entry, most: 8, notes: true }
}

/// A front end's client with the right to change factors.
pub(crate) fn of_client(order: Order) -> Order {
    let mut order = order;
    order.context.client = Some(ClientName::new("helpdesk").unwrap());
    order
}

pub(crate) fn by_label(text: &str) -> Target {
    Target { factor: None, label: Some(FactorLabel::new(text).unwrap()) }
}

pub(crate) trait Adopting {
    async fn try_adopt(&self, name: &str, entry: Entry) -> Result<Vec<Changed>, StoreError>;
    async fn adopt(&self, name: &str, entry: Entry) -> Vec<(Change, FactorKind)>;
    async fn factors(&self, name: &str) -> Vec<FactorDetail>;
    async fn states(&self, name: &str) -> Vec<(String, FactorState)>;
    async fn view(&self, name: &str) -> AccountView;
    async fn events(&self) -> Vec<String>;
}

impl Adopting for Fixture {
    async fn try_adopt(&self, name: &str, entry: Entry) -> Result<Vec<Changed>, StoreError> {
        self.store.adopt(wish(name, entry)).await
    }

    async fn adopt(&self, name: &str, entry: Entry) -> Vec<(Change, FactorKind)> {
        let changed = self.try_adopt(name, entry).await.unwrap();
        changed.into_iter().map(|changed| (changed.change, changed.kind)).collect()
    }

    async fn factors(&self, name: &str) -> Vec<FactorDetail> {
        self.store.show(user(name)).await.unwrap().factors
    }

    async fn states(&self, name: &str) -> Vec<(String, FactorState)> {
        self.factors(name).await.into_iter().map(|held| (held.label.to_string(), held.state)).collect()
    }

    async fn view(&self, name: &str) -> AccountView {
        self.store.view(user(name), Channel::Proven).await.unwrap()
    }

    /// The trail, but for what was there before anything.
    async fn events(&self) -> Vec<String> {
        let page = self.store.audit(AuditFilter::default(), 1000).await.unwrap();
        let said = page.rows.into_iter().filter(|row| row.user.is_some());
        said.map(|row| format!("{} {} {}", row.event, row.verdict, row.reason)).collect()
    }
}

pub(crate) fn states(expected: &[(&str, FactorState)]) -> Vec<(String, FactorState)> {
    expected.iter().map(|(label, state)| ((*label).to_owned(), *state)).collect()
}
