//! Paths of the partner's product that e-mails and in-product messages link to.

/// The path is not of the form `/word/word`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a path of the product, such as \"/bills/new\"")]
pub struct ActionPathError(String);

/// The segments of a path: at least one, each of ASCII letters, digits, `-` and `_`. Other
/// characters could lead to a different host or to a parent folder.
pub(crate) fn segments(path: &str) -> Result<Vec<&str>, ActionPathError> {
    let is_word = |segment: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !segment.is_empty() && segment.bytes().all(is_allowed)
    };
    let segments: Option<Vec<&str>> = path
        .strip_prefix('/')
        .map(|relative| relative.split('/').collect());
    segments
        .filter(|segments| segments.iter().all(|segment| is_word(segment)))
        .ok_or_else(|| ActionPathError(path.to_owned()))
}
