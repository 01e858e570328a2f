//! What a `POST` asks for, parsed from its form.

use std::{borrow::Cow, convert::Infallible};

use mime::Mime;
use multer::Multipart;
use runtime::http::{BodyError, Request, header};
use url::form_urlencoded;

/// Longest body that is read, in bytes. A valid form has at most about 200.
const MAX_BODY_BYTES: usize = 4096;

/// What a recipient asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Unsubscribe from the category of the e-mail, with the button of a mail client:
    /// `List-Unsubscribe=One-Click` (RFC 8058, section 3.2).
    OneClick,
    /// Unsubscribe from the category, on the page: `action=leave_category`.
    UnsubscribeCategory,
    /// Unsubscribe from all categories: `action=leave_all`.
    UnsubscribeAll,
    /// Subscribe to the category again: `action=come_back`.
    Resubscribe,
}

/// The request does not say what to do: change nothing. The text quotes nothing of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// The body is too long, or is not valid base64.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The content type is not one of a form.
    #[error("the body is neither application/x-www-form-urlencoded nor multipart/form-data")]
    MediaType,
    /// The multipart body is incomplete or has no boundary.
    #[error("the multipart/form-data is invalid")]
    Multipart,
    /// The form names no intent, an unknown one or more than one.
    #[error("the form does not contain exactly one known action")]
    Form,
}

impl Intent {
    /// Parses the form of a request. Other fields of the form are ignored.
    pub async fn parse(request: &Request) -> Result<Self, IntentError> {
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

/// The fields of a form in either of the media types that RFC 8058, section 3.1, allows. Without a
/// content type, the body is parsed as `application/x-www-form-urlencoded`.
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
    let stream = futures::stream::iter([Ok::<_, Infallible>(body)]);
    let mut multipart = Multipart::new(stream, boundary);

    let mut fields = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let value = String::from_utf8_lossy(&field.bytes().await?).into_owned();
        fields.push((name.into(), value.into()));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests;
