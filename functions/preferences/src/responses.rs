//! The pages as HTTP responses, with the headers that all of them have.

use content::{Pages, PreferencesPage};
use runtime::{
    ErrorType, Failure,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

/// Headers of every page, besides its content security policy. The URL of a page contains the
/// token, which is enough to change the preferences. So the page must not be cached or indexed, and
/// its URL must not be sent as a referrer.
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

/// Builds every response that a recipient can get.
#[derive(Debug)]
pub struct Responses {
    pages: Pages,
    policy: HeaderValue,
}

impl Responses {
    /// Responses with the pages that are embedded in the binary. An `Err` means that a page is
    /// invalid; only another build helps.
    pub fn embedded() -> Result<Self, Failure> {
        let pages = Pages::embedded()?;
        let policy = format!(
            "default-src 'none'; style-src '{}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
            pages.style_hash()
        );
        let policy = HeaderValue::try_from(policy)
            .map_err(|error| Failure::new(ErrorType::ContentInvalid, error))?;
        Ok(Self { pages, policy })
    }

    /// 500 or 503: the request failed because of this program or of AWS.
    pub fn error_response(&self, status: StatusCode) -> Response {
        let sentence = "This does not work at the moment. Please try again in a few minutes.";
        self.minimal_page(status, "Please try again later", sentence)
    }

    /// 200: what the recipient is subscribed to, and the forms that change it.
    pub(crate) fn preferences(&self, page: PreferencesPage) -> Result<Response, Failure> {
        let html = self.pages.preferences(&page)?;
        Ok(self.html_response(StatusCode::OK, html))
    }

    /// 404: the token is invalid.
    pub(crate) fn not_found(&self) -> Result<Response, Failure> {
        let html = self.pages.not_found()?;
        Ok(self.html_response(StatusCode::NOT_FOUND, html))
    }

    /// 400: the `POST` does not say what to do. The forms of the pages never cause this.
    pub(crate) fn bad_request(&self) -> Response {
        let sentence = "We did not understand this request, so nothing was changed. \
                        <a href=\"\">Back to your e-mails</a>";
        self.minimal_page(StatusCode::BAD_REQUEST, "Not understood", sentence)
    }

    /// 405: the method is not `GET`, `HEAD` or `POST`.
    pub(crate) fn method_not_allowed(&self) -> Response {
        self.minimal_page(
            StatusCode::METHOD_NOT_ALLOWED,
            "Not possible",
            "Nothing was changed.",
        )
        .with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"))
    }

    /// A page without a template, so that it cannot fail.
    fn minimal_page(&self, status: StatusCode, title: &str, sentence: &str) -> Response {
        let head = "<meta charset=\"utf-8\">\
                    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
        let html = format!(
            "<!doctype html>\n\
             <html lang=\"en\">\n\
             <head>{head}<title>{title}</title></head>\n\
             <body><h1>{title}</h1><p>{sentence}</p></body>\n\
             </html>\n"
        );
        self.html_response(status, html)
    }

    fn html_response(&self, status: StatusCode, html: String) -> Response {
        let policy = (header::CONTENT_SECURITY_POLICY, self.policy.clone());
        let headers = HEADERS.into_iter().chain([policy]);
        headers.fold(Response::html(status, html), |response, (name, value)| {
            response.with_header(name, value)
        })
    }
}
