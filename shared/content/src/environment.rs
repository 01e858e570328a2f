//! What the templates of mails and of pages have in common.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig};

use crate::{
    brand::{Brand, Palette},
    error::ContentError,
};

/// An environment that escapes by the kind of file and knows the globals `brand`, `light` and
/// `dark`.
pub(crate) fn environment(brand: &Brand) -> Environment<'static> {
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
    environment.set_debug(false); // debug information of errors would hold names
    environment.add_global("brand", brand_variables(brand));
    environment.add_global("light", palette_variables(&brand.colours.light));
    environment.add_global("dark", palette_variables(&brand.colours.dark));
    environment
}

/// Compiles a template and checks that it uses nothing but the globals and `variables`.
pub(crate) fn add(
    environment: &mut Environment<'static>,
    path: &str,
    source: &str,
    variables: &[&str],
) -> Result<(), ContentError> {
    let broken = |error: minijinja::Error| ContentError::Template {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    environment
        .add_template_owned(path.to_owned(), source.to_owned())
        .map_err(broken)?;
    let template = environment.get_template(path).map_err(broken)?;
    let is_known = |variable: &str| {
        variables.contains(&variable) || environment.globals().any(|(name, _)| name == variable)
    };
    match template
        .undeclared_variables(false)
        .into_iter()
        .find(|variable| !is_known(variable))
    {
        Some(variable) => Err(ContentError::UnknownVariable {
            path: path.to_owned(),
            variable,
        }),
        None => Ok(()),
    }
}

/// `file:line` of an error, without what the file was given.
pub(crate) fn location(error: &minijinja::Error, path: &str) -> String {
    format!(
        "{}:{}",
        error.name().unwrap_or(path),
        error.line().unwrap_or_default()
    )
}

/// Lines that hold nothing but a statement leave no empty line behind.
#[expect(
    clippy::expect_used,
    reason = "only delimiters can be wrong, and these are the default ones"
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
