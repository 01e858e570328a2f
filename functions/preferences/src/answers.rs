//! The pages as answers, with the headers that all of them have.

use content::{Pages, PreferencesPage, RenderError};
use runtime::{
    ErrorType, Failure,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

/// On each page, besides its own security policy: not to be kept, found by search engines, or told
/// of to others, since its address is all that it takes to change what somebody receives.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    ),
];

/// Every answer that a recipient can get.
#[derive(Debug)]
pub struct Answers {
    pages: Pages,
    policy: HeaderValue,
}

impl Answers {
    /// With the pages that the binary was built with. An `Err` stays until they are mended.
    pub fn embedded() -> Result<Self, Failure> {
        let pages =
            Pages::embedded().map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;
        let style = pages.style_hash();
        let policy = format!(
            "default-src 'none'; style-src '{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy)
            .map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;
        Ok(Self { pages, policy })
    }

    /// What a recipient receives, and the forms that change it.
    pub fn preferences(&self, page: &PreferencesPage) -> Result<Response, Failure> {
        self.pages
            .preferences(page)
            .map(|page| self.page(StatusCode::OK, page))
            .map_err(unrendered)
    }

    /// To every token that is not ours.
    pub fn not_found(&self) -> Result<Response, Failure> {
        self.pages
            .not_found()
            .map(|page| self.page(StatusCode::NOT_FOUND, page))
            .map_err(unrendered)
    }

    /// To a `POST` that does not say what to do. No form of ours leads here.
    pub fn bad_request(&self) -> Response {
        let sentence = r#"We did not understand this request, so nothing was changed. <a href="">Back to your e-mails</a>"#;
        self.short(StatusCode::BAD_REQUEST, "Not understood", sentence)
    }

    /// To a method that is neither for looking nor for changing.
    pub fn method_not_allowed(&self) -> Response {
        self.short(
            StatusCode::METHOD_NOT_ALLOWED,
            "Not possible",
            "Nothing was changed.",
        )
        .with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"))
    }

    /// When it is our fault.
    pub fn error_response(&self, status: StatusCode) -> Response {
        let sentence = "This does not work at the moment. Please try again in a few minutes.";
        self.short(status, "Please try again later", sentence)
    }

    /// A page that needs no template, and so cannot fail.
    fn short(&self, status: StatusCode, title: &str, sentence: &str) -> Response {
        let head = r#"<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">"#;
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>{head}<title>{title}</title></head>\n<body><h1>{title}</h1><p>{sentence}</p></body>\n</html>\n"
        );
        self.page(status, page)
    }

    fn page(&self, status: StatusCode, page: String) -> Response {
        let policy = (header::CONTENT_SECURITY_POLICY, self.policy.clone());
        let headers = HEADERS.into_iter().chain([policy]);
        headers.fold(Response::html(status, page), |response, (name, value)| {
            response.with_header(name, value)
        })
    }
}

fn unrendered(error: RenderError) -> Failure {
    Failure::new(ErrorType::ContentInvalid, error)
}
