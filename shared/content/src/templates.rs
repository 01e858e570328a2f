use std::collections::HashMap;

use engagement::{CampaignId, Notice, StepId};
use minijinja::{AutoEscape, Environment, ErrorKind, State, Value, context};
use mrml::prelude::render::RenderOptions;
use textwrap::{WordSeparator, WordSplitter};
use url::Url;

use crate::{
    brand::Brand,
    categories::Kind,
    environment,
    error::{ContentError, EmailPart, RenderError},
    header::Header,
    mail::Mail,
    presentable::{presentable, shortened, to_single_line},
};

/// Longest subject, in characters: a line of RFC 5322, section 2.1.1.
const MAX_SUBJECT: usize = 78;
/// Longest organization name in a subject, in characters; mail clients on telephones show about 50
/// in all.
const MAX_NAME_IN_SUBJECT: usize = 28;
/// Longest organization name in a body, in characters.
const MAX_NAME_IN_BODY: usize = 60;
/// Longest first name, in characters. Whoever has a longer one is greeted without it.
const MAX_FIRST_NAME: usize = 40;
/// Width of the text part, in columns.
const TEXT_WIDTH: usize = 76;

/// The variables of a template, besides the globals `brand`, `light`, `dark` and `link`.
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

/// The compiled templates.
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(crate) fn new(brand: &Brand) -> Self {
        let mut environment = environment::environment(brand);
        environment.add_function("link", link_function(brand.clone()));
        Self { environment }
    }

    pub(crate) fn path(campaign: &CampaignId, step: &StepId, part: EmailPart) -> String {
        format!("campaigns/{campaign}/{step}.{part}.jinja")
    }

    /// Compiles a template and checks that it uses nothing but what every mail has.
    pub(crate) fn add(&mut self, path: &str, source: &str) -> Result<(), ContentError> {
        environment::add(&mut self.environment, path, source, &VARIABLES)
    }

    /// `unsubscribe` is where the recipient can stop mails of this `kind`.
    pub(crate) fn render(
        &self,
        notice: &Notice,
        kind: &Kind,
        unsubscribe: &Url,
        headers: Vec<Header>,
    ) -> Result<Mail, RenderError> {
        let part =
            |part| self.render_part(notice, part, variables(notice, part, kind, unsubscribe));
        let (subject, text, mjml) = (
            part(EmailPart::Subject)?,
            part(EmailPart::Text)?,
            part(EmailPart::Mjml)?,
        );
        Ok(Mail {
            subject: shortened(&to_single_line(&subject), MAX_SUBJECT),
            text: wrapped(&text),
            html: html(&mjml).map_err(|reason| RenderError::Markup {
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
                location: environment::location(&error, &path),
            })
    }
}

fn variables(notice: &Notice, part: EmailPart, kind: &Kind, unsubscribe: &Url) -> Value {
    let max_name = if part == EmailPart::Subject {
        MAX_NAME_IN_SUBJECT
    } else {
        MAX_NAME_IN_BODY
    };
    let organization = presentable(notice.organization_name.as_ref(), max_name);
    let first_name = presentable(notice.recipient.first_name.as_ref(), MAX_FIRST_NAME + 1)
        .filter(|name| name.chars().count() <= MAX_FIRST_NAME);
    context! {
        campaign => notice.campaign.as_str(),
        step => notice.step.as_str(),
        stage_reason => <&str>::from(notice.stage_reason),
        greeting => first_name.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},")),
        organization => organization.as_deref().unwrap_or("your company"),
        organization_at_start => organization.as_deref().unwrap_or("Your company"),
        category => context! { name => &kind.name, description => &kind.description },
        unsubscribe => address(unsubscribe, if part == EmailPart::Mjml { &AutoEscape::Html } else { &AutoEscape::None }),
    }
}

/// `link("/path")` in a template: the address of that path in the partner's product, tagged with
/// the mail it stands in.
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
        let url = brand
            .tagged_url(
                path,
                &[
                    ("utm_medium", "email"),
                    ("utm_campaign", &campaign),
                    ("utm_content", &step),
                ],
            )
            .map_err(|error| {
                minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string())
            })?;
        Ok(address(&url, state.auto_escape()))
    }
}

/// The address as it stands in a text, or between double quotes in markup.
fn address(url: &Url, escape: &AutoEscape) -> Value {
    match escape {
        // Of HTML's special characters a serialized URL has none but this one (and "'", harmless
        // between double quotes).
        AutoEscape::Html => Value::from_safe_string(url.as_str().replace('&', "&amp;")),
        _ => Value::from(url.as_str()),
    }
}

/// Breaks lines at spaces; what has no space, such as a link, stays whole. Lines of a numbered list
/// are indented.
fn wrapped(text: &str) -> String {
    let wrap = |line: &str| {
        if line.len() <= TEXT_WIDTH {
            return line.to_owned(); // with its trailing space, which "-- " needs (RFC 3676, section 4.3)
        }
        let is_list_item = line
            .split_once(". ")
            .is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        let options = textwrap::Options::new(TEXT_WIDTH)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .subsequent_indent(if is_list_item { "   " } else { "" });
        textwrap::fill(line, options)
    };
    let mut lines: Vec<String> = text.trim().lines().map(wrap).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// `Err`: what is wrong with the MJML and where, without the text itself.
fn html(mjml: &str) -> Result<String, String> {
    let parsed = mrml::parse(mjml).map_err(|error| error.to_string())?;
    if let Some(warning) = parsed.warnings.first() {
        return Err(format!("{} at {}", warning.kind, warning.span));
    }
    // mrml links web fonts of Google by default; mails load nothing from elsewhere.
    let options = RenderOptions {
        disable_comments: true,
        social_icon_origin: None,
        fonts: HashMap::new(),
    };
    parsed
        .element
        .render(&options)
        .map_err(|error| error.to_string())
}
