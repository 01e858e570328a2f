//! The template environment that e-mails and pages share.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig};

use crate::{
    brand::Brand,
    colour::Palette,
    error::{ContentError, ContentErrorKind},
};

/// Builds an environment with the globals `brand`, `light` and `dark`. Values in MJML and HTML
/// files are escaped; values in other files are not.
pub(crate) fn build(brand: &Brand) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|path| {
        let is_markup = path.ends_with(".mjml.jinja") || path.ends_with(".html.jinja");
        if is_markup {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_syntax(line_statements());
    environment.set_debug(false); // debug information of errors would contain names
    environment.add_global("brand", brand_variables(brand));
    environment.add_global("light", palette_variables(&brand.colours.light));
    environment.add_global("dark", palette_variables(&brand.colours.dark));
    environment
}

/// Compiles a template. Returns an error if it uses other variables than the globals and
/// `variables`.
pub(crate) fn add_template(
    environment: &mut Environment<'static>,
    path: &str,
    source: &str,
    variables: &[&str],
) -> Result<(), ContentError> {
    let template_error = |error: minijinja::Error| {
        ContentError::new(path, ContentErrorKind::Template(error.to_string()))
    };
    environment
        .add_template_owned(path.to_owned(), source.to_owned())
        .map_err(template_error)?;
    let template = environment.get_template(path).map_err(template_error)?;
    let is_known = |variable: &str| {
        variables.contains(&variable) || environment.globals().any(|(name, _)| name == variable)
    };
    match template
        .undeclared_variables(false)
        .into_iter()
        .find(|variable| !is_known(variable))
    {
        Some(variable) => Err(ContentError::new(
            path,
            ContentErrorKind::UnknownVariable(variable),
        )),
        None => Ok(()),
    }
}

/// `file:line` of an error. Contains no values of variables.
pub(crate) fn error_location(error: &minijinja::Error, path: &str) -> String {
    format!(
        "{}:{}",
        error.name().unwrap_or(path),
        error.line().unwrap_or_default()
    )
}

/// Removes lines that consist of a template statement, instead of leaving an empty line.
#[expect(
    clippy::expect_used,
    reason = "only invalid delimiters fail, and these are the default ones"
)]
fn line_statements() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .expect("default delimiters")
}

fn brand_variables(brand: &Brand) -> Value {
    let logo = brand
        .logo
        .as_ref()
        .map(|logo| context! { url => logo.url.to_string(), width => logo.width });
    context! {
        partner => &brand.partner,
        product => &brand.product,
        language => &brand.language,
        support_address => brand.support_address.expose(),
        postal_address => &brand.postal_address,
        logo => logo,
    }
}

fn palette_variables(palette: &Palette) -> Value {
    context! {
        background => palette.background.as_str(),
        surface => palette.surface.as_str(),
        text => palette.text.as_str(),
        muted => palette.muted.as_str(),
        accent => palette.accent.as_str(),
        accent_text => palette.accent_text.as_str(),
    }
}
