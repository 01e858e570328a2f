//! The compiled templates of e-mails, and the variables that they use.

use engagement::{CampaignId, Notice, StepId};
use minijinja::{AutoEscape, Environment, ErrorKind, State, Value, context};
use url::Url;

use crate::{
    brand::Brand,
    categories::CategoryText,
    display_name::{display_name, to_single_line, truncate},
    email_part::EmailPart,
    error::{ContentError, RenderError},
    header::Header,
    mail::Mail,
    render::{render_mjml, wrap_text},
    template_environment,
};

/// Maximum length of a subject, in characters: one line (RFC 5322, section 2.1.1).
const MAX_SUBJECT: usize = 78;
/// Maximum length of an organization name in a subject, in characters. E-mail clients on phones
/// show about 50 characters of a subject.
const MAX_NAME_IN_SUBJECT: usize = 28;
/// Maximum length of an organization name in a body, in characters.
const MAX_NAME_IN_BODY: usize = 60;
/// Maximum length of a first name, in characters. A longer one is left out of the greeting.
const MAX_FIRST_NAME: usize = 40;

/// The variables of a template, in addition to the globals `brand`, `light`, `dark` and `link`.
const VARIABLES: [&str; 8] = [
    "campaign",
    "step",
    "stage_reason",
    "greeting",
    "organization",
    "organization_at_start",
    "category",
    "unsubscribe",
];

/// The compiled templates of all e-mails.
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(crate) fn new(brand: &Brand) -> Self {
        let mut environment = template_environment::build(brand);
        environment.add_function("link", link_function(brand.clone()));
        Self { environment }
    }

    pub(crate) fn path(campaign: &CampaignId, step: &StepId, part: EmailPart) -> String {
        format!("campaigns/{campaign}/{step}.{part}.jinja")
    }

    /// Compiles a template. Returns an error if it uses a variable that e-mails do not have.
    pub(crate) fn add_template(&mut self, path: &str, source: &str) -> Result<(), ContentError> {
        template_environment::add_template(&mut self.environment, path, source, &VARIABLES)
    }

    /// Renders the e-mail of a notice. `unsubscribe_url` is the recipient's own URL for
    /// unsubscribing from the category.
    pub(crate) fn render(
        &self,
        notice: &Notice,
        category_text: &CategoryText,
        unsubscribe_url: &Url,
        headers: Vec<Header>,
    ) -> Result<Mail, RenderError> {
        let render_part = |part| {
            let variables = variables(notice, part, category_text, unsubscribe_url);
            self.render_part(notice, part, variables)
        };
        let subject = render_part(EmailPart::Subject)?;
        let text = render_part(EmailPart::Text)?;
        let mjml = render_part(EmailPart::Mjml)?;

        Ok(Mail {
            subject: truncate(&to_single_line(&subject), MAX_SUBJECT),
            text: wrap_text(&text),
            html: render_mjml(&mjml).map_err(|reason| RenderError::Markup {
                campaign: notice.campaign.clone(),
                step: notice.step.clone(),
                reason,
            })?,
            headers,
        })
    }

    fn render_part(
        &self,
        notice: &Notice,
        part: EmailPart,
        variables: Value,
    ) -> Result<String, RenderError> {
        let (campaign, step) = (notice.campaign.clone(), notice.step.clone());
        let path = Self::path(&campaign, &step, part);
        let Ok(template) = self.environment.get_template(&path) else {
            return Err(RenderError::UnknownStep { campaign, step });
        };
        template
            .render(variables)
            .map_err(|error| RenderError::Template {
                campaign,
                step,
                part,
                reason: error.kind().to_string(),
                location: template_environment::error_location(&error, &path),
            })
    }
}

fn variables(
    notice: &Notice,
    part: EmailPart,
    category_text: &CategoryText,
    unsubscribe_url: &Url,
) -> Value {
    let (max_name, escape) = match part {
        EmailPart::Subject => (MAX_NAME_IN_SUBJECT, AutoEscape::None),
        EmailPart::Text => (MAX_NAME_IN_BODY, AutoEscape::None),
        EmailPart::Mjml => (MAX_NAME_IN_BODY, AutoEscape::Html),
    };
    let organization = display_name(notice.organization_name.as_ref(), max_name);
    let first_name = display_name(notice.recipient.first_name.as_ref(), MAX_FIRST_NAME + 1)
        .filter(|name| name.chars().count() <= MAX_FIRST_NAME);
    let greeting = first_name.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));

    context! {
        campaign => notice.campaign.as_str(),
        step => notice.step.as_str(),
        stage_reason => <&str>::from(notice.stage_reason),
        greeting => greeting,
        organization => organization.as_deref().unwrap_or("your company"),
        organization_at_start => organization.as_deref().unwrap_or("Your company"),
        category => context! {
            name => &category_text.name,
            description => &category_text.description,
        },
        unsubscribe => url_value(unsubscribe_url, &escape),
    }
}

/// The function `link("/path")` of templates: the URL of a path of the partner's product, with tags
/// that identify the e-mail.
fn link_function(
    brand: Brand,
) -> impl Fn(&State, &str) -> Result<Value, minijinja::Error> + Send + Sync + 'static {
    move |state, path| {
        let variable = |name: &str| {
            state
                .lookup(name)
                .map(|value| value.to_string())
                .unwrap_or_default()
        };
        let (campaign, step) = (variable("campaign"), variable("step"));
        let tags = [
            ("utm_medium", "email"),
            ("utm_campaign", &campaign),
            ("utm_content", &step),
        ];
        let url = brand.tagged_url(path, &tags).map_err(|error| {
            minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string())
        })?;
        Ok(url_value(&url, state.auto_escape()))
    }
}

/// A URL as the value of a variable, for text or for an attribute in double quotes.
fn url_value(url: &Url, escape: &AutoEscape) -> Value {
    match escape {
        // "&" is the only special character of HTML that a serialized URL contains, besides "'",
        // which needs no escaping between double quotes.
        AutoEscape::Html => Value::from_safe_string(url.as_str().replace('&', "&amp;")),
        _ => Value::from(url.as_str()),
    }
}
