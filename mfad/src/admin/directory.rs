//! Secrets sealed for the directory, and what it has of people taken over. For root on the host itself.

use mfa_proto::{
    admin::{NewParams, Pulled, Refusal, RefusalCode, Reply, SealedSecret, TotpParams},
    name::UserId,
    secret::SecretText,
    text::ShownText,
};
use tracing::warn;

use super::{
    Desk,
    draft::{Draft, Origin},
    refusal::{not_done, refused},
};
use crate::{
    factor::Secret,
    ldap::{self, AskError, Asked, Broken, Sealed},
    store::Adopt,
};

impl Desk<'_> {
    /// Seals a secret for a person. Nothing is enrolled: it counts once it is in the directory, and looked up.
    pub(super) async fn ldap_seal(
        &self,
        user: UserId,
        params: TotpParams,
        secret: Option<SecretText>,
    ) -> Result<Reply, Refusal> {
        self.root_only("seal secrets")?;
        // A name that is misspelled would only be found out when nobody can log in by it.
        self.root_or_self(&user).await?;
        let settings = self.core.settings();
        let Some(key) = settings.value_key() else {
            let why =
                "there is no key to seal with: set secret_attribute and secret_key in [ldap], then reload";
            return Err(refused(RefusalCode::Invalid, why));
        };
        let wanted = (NewParams::Totp(params), secret);
        let Draft { secret, shown, .. } = Draft::new(&settings, &user, wanted, Origin::Ours)?;
        let Secret::Seed(seed) = secret else {
            return Err(refused(RefusalCode::Invalid, "only secrets of time-based codes are sealed"));
        };
        let sealed = Sealed { params, seed };
        let value = ldap::seal(key, &user, &sealed).map_err(|broken| {
            let random = broken == Broken::NoRandomness;
            let code = if random { RefusalCode::Unavailable } else { RefusalCode::Invalid };
            refused(code, &format!("the secret cannot be sealed: {broken}"))
        })?;
        let noted = self.core.store().note_sealed(self.context(&user)).await;
        noted.map_err(|error| not_done(&user, "write down what was sealed", self.core.now(), &error))?;
        self.log_change("ldap_seal", &user);
        Ok(Reply::Sealed(Box::new(SealedSecret { value, secret: shown.key, uri: shown.link })))
    }

    /// Takes over what the directory has of a person, or says what would be changed.
    pub(super) async fn ldap_pull(&self, user: UserId, dry_run: bool) -> Result<Reply, Refusal> {
        self.root_only("take over what the directory has")?;
        let uid = self.root_or_self(&user).await?;
        let settings = self.core.settings();
        let asked = ldap::ask(self.core, &settings, &user).await.map_err(|error| {
            let code = match error {
                AskError::Unconfigured | AskError::OtherRealm => RefusalCode::Invalid,
                AskError::Undone(_) => RefusalCode::Unavailable,
            };
            refused(code, &format!("{error}. Nothing was changed"))
        })?;
        let Asked { found, entry } = asked;
        let unusable: Vec<_> = entry.unusable.iter().map(|u| (u.kind, ShownText::clean(&u.why))).collect();
        for (kind, why) in &unusable {
            warn!("the directory has a value for {} of {user} that cannot be used: {why}", kind.word());
        }
        let most = settings.config().enrollment().max_factors;
        let adopt = Adopt { order: self.order(&user, uid, None)?, entry, most, notes: !unusable.is_empty() };
        let done = if dry_run {
            self.core.store().foresee(adopt).await
        } else {
            self.core.store().adopt(adopt).await
        };
        let what = "take over what the directory has";
        let changes = done.map_err(|error| not_done(&user, what, self.core.now(), &error))?;
        if !dry_run {
            self.log_change("ldap_pull", &user);
        }
        Ok(Reply::Pulled(Pulled { found, changes, unusable }))
    }

    /// A login page says by which factors its user may go on, and so has to know them before the login asks.
    pub(super) async fn look_up_first(&self, user: &UserId) {
        let settings = self.core.settings();
        let (Some(behalf), Some(refresh)) = (&self.behalf, settings.asks_directory()) else { return };
        let mut clients = settings.config().web().clients.iter();
        let page = clients.any(|client| client.name == behalf.client && client.proof.login_page);
        if !page || !user.realm.is_local() {
            return;
        }
        if let Ok(account) = settings.directory().find(user).await {
            // Where it cannot be asked, what is known is shown; the login says no by itself.
            let _known: bool =
                ldap::take_in(self.core, &settings, (&self.context(user), account), refresh).await;
        }
    }
}
