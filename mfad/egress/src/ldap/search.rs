//! Finds the one entry that is a person's, by the account of `[ldap] bind_dn`.
//!
//! Refuses to choose among entries, to follow referrals, and to take a name that is only like the one asked for.

use std::collections::HashMap;

use ldap3::{DerefAliases, ResultEntry, Scope, SearchEntry, SearchOptions, SearchResult, ldap_escape};
use mfa_proto::name::UserName;
use mfa_role::config::Piece;
use tracing::warn;

use super::{Directory, LdapTrouble, code, connection::Server};

/// The values of an attribute; servers write its name as they like.
pub(super) fn values<'a, T>(attributes: &'a HashMap<String, Vec<T>>, name: &str) -> Option<&'a [T]> {
    let found = attributes.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, values)| values.as_slice())
}

impl Directory {
    /// The one entry that is the person's, with these attributes of it; `None` when there is not exactly one.
    pub(super) async fn find(
        &self,
        server: &Server,
        user: &UserName,
        more: &[&str],
    ) -> Result<Option<SearchEntry>, LdapTrouble> {
        let mut connection = server.connect().await?;
        let step = "the bind as `bind_dn`";
        let bound = connection.ldap.simple_bind(&self.bind_dn, self.password.expose()).await;
        let code = bound.map_err(|_| LdapTrouble::Broken(step))?.rc;
        if code != code::SUCCESS {
            return Err(LdapTrouble::Refused { step, code });
        }
        let step = "the search for the person";
        let two = SearchOptions::new().sizelimit(2).deref(DerefAliases::Never);
        let filter = self.filter(user.as_str());
        let search = connection.ldap.with_search_options(two);
        let name = self.name_attribute.as_str();
        let more = more.iter().copied().filter(|other| !other.eq_ignore_ascii_case(name));
        let attributes: Vec<&str> = [name].into_iter().chain(more).collect();
        let found = search.search(&self.base, Scope::Subtree, &filter, attributes).await;
        let SearchResult(entries, result) = found.map_err(|_| LdapTrouble::Broken(step))?;
        match result.rc {
            code::SUCCESS | code::SIZE_LIMIT => {}
            code::REFERRAL => return Err(LdapTrouble::Referred),
            code => return Err(LdapTrouble::Refused { step, code }),
        }
        // The library puts references aside that came among the entries.
        if !result.refs.is_empty() || entries.iter().any(ResultEntry::is_ref) {
            return Err(LdapTrouble::Referred);
        }
        Ok(self.only(entries, result.rc, user))
    }

    fn only(&self, entries: Vec<ResultEntry>, code: u32, user: &UserName) -> Option<SearchEntry> {
        let mut entries = entries.into_iter();
        let (first, second) = (entries.next()?, entries.next());
        if second.is_some() || code != code::SUCCESS {
            warn!(%user, "the LDAP directory has more than one entry of this name: none was chosen; narrow `filter` or `base`");
            return None;
        }
        let entry = SearchEntry::construct(first);
        let exact =
            matches!(values(&entry.attrs, &self.name_attribute), Some([name]) if name == user.as_str());
        // A bind without a name is one of nobody, which may succeed.
        (exact && !entry.dn.is_empty()).then_some(entry)
    }

    /// The filter for a name, in which the name is only ever a value (RFC 4515 3).
    pub(super) fn filter(&self, user: &str) -> String {
        let user = ldap_escape(user);
        let Some(filter) = &self.filter else { return format!("({}={user})", self.name_attribute) };
        let pieces = filter.pieces().iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            // There is no other fact in it.
            Piece::Fact(_) => user.as_ref(),
            Piece::Credential(_) => "",
        });
        pieces.collect()
    }
}
