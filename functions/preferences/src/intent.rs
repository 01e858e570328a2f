//! What a `POST` asks for.

use std::{borrow::Cow, convert::Infallible};

use mime::Mime;
use multer::Multipart;
use runtime::http::{BodyError, Request, header};
use url::form_urlencoded;

/// What a recipient wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To leave the category of the mail, said by a mail client: `List-Unsubscribe=One-Click` (RFC
    /// 8058, section 3.2).
    OneClick,
    /// The same, said on the page: `action=leave_category`.
    UnsubscribeCategory,
    /// To get no mails at all: `action=leave_all`.
    UnsubscribeAll,
    /// To get the mails of the category again: `action=come_back`.
    Resubscribe,
}

/// The request does not say what to do: nothing is to be changed. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// The body cannot be had.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body is of a type that no form sends.
    #[error("the body is neither application/x-www-form-urlencoded nor multipart/form-data")]
    MediaType,
    /// Multipart that breaks off, or has no boundary.
    #[error("the multipart/form-data cannot be read")]
    Multipart,
    /// A form that names no intent, an unknown one or several.
    #[error("the form does not say one thing that is known")]
    Form,
}

/// Longest body that is read, in bytes; the longest that makes sense has some 200.
const MAX_BODY_BYTES: usize = 4096;

impl Intent {
    /// What the request asks for. Fields that are not ours are passed over.
    pub async fn of(request: &Request) -> Result<Self, IntentError> {
        let body = request.body(MAX_BODY_BYTES)?;
        let mut intents = Vec::new();
        for (name, value) in fields(request.header(header::CONTENT_TYPE), &body).await? {
            match (name.as_ref(), value.as_ref()) {
                ("List-Unsubscribe", "One-Click") => intents.push(Self::OneClick),
                ("action", "leave_category") => intents.push(Self::UnsubscribeCategory),
                ("action", "leave_all") => intents.push(Self::UnsubscribeAll),
                ("action", "come_back") => intents.push(Self::Resubscribe),
                ("List-Unsubscribe" | "action", _) => return Err(IntentError::Form),
                _ => {}
            }
        }
        match intents[..] {
            [intent] => Ok(intent),
            _ => Err(IntentError::Form),
        }
    }
}

type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The fields of a form in either of the types that RFC 8058, section 3.1, allows; without a type,
/// in the usual one.
async fn fields<'a>(
    content_type: Option<&str>,
    body: &'a [u8],
) -> Result<Vec<Field<'a>>, IntentError> {
    let Some(content_type) = content_type else {
        return Ok(form_urlencoded::parse(body).collect());
    };
    let media_type: Mime = content_type.parse().map_err(|_| IntentError::MediaType)?;
    match (media_type.type_(), media_type.subtype()) {
        (mime::APPLICATION, mime::WWW_FORM_URLENCODED) => {
            Ok(form_urlencoded::parse(body).collect())
        }
        (mime::MULTIPART, mime::FORM_DATA) => {
            let boundary =
                multer::parse_boundary(content_type).map_err(|_| IntentError::Multipart)?;
            multipart_fields(boundary, body.to_vec())
                .await
                .map_err(|_| IntentError::Multipart)
        }
        _ => Err(IntentError::MediaType),
    }
}

async fn multipart_fields<'a>(
    boundary: String,
    body: Vec<u8>,
) -> Result<Vec<Field<'a>>, multer::Error> {
    let whole = futures::stream::iter([Ok::<_, Infallible>(body)]);
    let mut multipart = Multipart::new(whole, boundary);
    let mut fields = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let value = String::from_utf8_lossy(&field.bytes().await?).into_owned();
        fields.push((name.into(), value.into()));
    }
    Ok(fields)
}
