//! The links that an e-mail contains besides those of its template.

use engagement::{EmailSubscription, Notice, UnsubscribeKeys};
use runtime::{ErrorType, Failure};
use url::Url;

/// The link `{public_url}/unsubscribe/{token}` for the recipient and category of the notice.
///
/// An `Err` means that `public_url` cannot have a path (`mailto:` cannot): the configuration is
/// wrong for every notice.
pub fn unsubscribe_url(
    public_url: &Url,
    keys: &UnsubscribeKeys,
    notice: &Notice,
) -> Result<Url, Failure> {
    let subscription = EmailSubscription {
        address_hash: notice.address_hash.clone(),
        category: notice.category,
    };
    let mut url = public_url.clone();
    url.path_segments_mut()
        .map_err(|()| Failure::new(ErrorType::ConfigInvalid, "PUBLIC_URL cannot have a path"))?
        .pop_if_empty()
        .extend(["unsubscribe", &keys.sign(&subscription)]);
    Ok(url)
}
