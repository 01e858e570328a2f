//! Accessibility of the current page: tab order, axe-core's rules, overflow and colour schemes.

use std::fs;

use anyhow::{Context, Result, ensure};
use fantoccini::{Locator, key::Key};
use local_cloud::python_package_file;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Browser, VIEWPORT};

impl Browser {
    /// The accessible names of all focusable elements, in the order of the page. Moves the focus to
    /// each of them with the tab key. `Err`: an element has no accessible name, is not reached in
    /// this order, or does not show that it has the focus.
    pub async fn tab_order_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for element in self.focusable_elements().await? {
            let path = format!("element/{}/computedlabel", &*element.element_id());
            let name = self.command(Method::GET, path, None).await?;
            let name = name.as_str().unwrap_or_default().trim().to_owned();
            ensure!(
                !name.is_empty(),
                "an element without an accessible name: {}",
                element.html(false).await?
            );

            self.key(Key::Tab).await?;
            let focused = self
                .client
                .find(Locator::Css(":focus-visible"))
                .await
                .with_context(|| format!("{name} does not get the focus"))?;
            ensure!(
                focused.element_id() == element.element_id(),
                "{name} is not the next element in the tab order"
            );
            ensure!(
                focused.css_value("outline-style").await? != "none",
                "{name} has no visible focus indicator"
            );
            names.push(name);
        }
        Ok(names)
    }

    /// How much wider than the viewport the page is, in CSS pixels.
    pub async fn horizontal_overflow(&self) -> Result<f64> {
        const WIDTH: &str = "return Math.max(document.documentElement.scrollWidth, \
            document.body.scrollWidth, window.innerWidth)";

        let width = self.client.execute(WIDTH, Vec::new()).await?;
        let width = width.as_f64().context("the width is not a number")?;
        Ok(width - f64::from(VIEWPORT.0))
    }

    /// Sets `prefers-color-scheme` to dark or light.
    pub async fn emulate_color_scheme(&self, is_dark: bool) -> Result<()> {
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        let body = json!({"cmd": "Emulation.setEmulatedMedia", "params": media});

        self.command(Method::POST, "goog/cdp/execute".to_owned(), Some(body))
            .await
            .map(drop)
    }

    /// Violations of WCAG 2.1, levels A and AA, that axe-core finds, and rules that it could not
    /// decide. Needs scripts. `Err`: axe-core did not check the colour contrast.
    pub async fn accessibility_violations(&self) -> Result<Vec<String>> {
        const RUN: &str = "const done = arguments[arguments.length - 1];
            axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})
                .then(done, error => done({error: String(error)}));";

        let axe = fs::read_to_string(python_package_file("axe_playwright_python/axe.min.js")?)?;
        self.client.execute(&axe, Vec::new()).await?;
        let result = self.client.execute_async(RUN, Vec::new()).await?;

        let rules = |kind: &str| {
            result[kind]
                .as_array()
                .cloned()
                .with_context(|| format!("no {kind} in {result}"))
        };
        ensure!(
            rules("passes")?
                .iter()
                .any(|rule| rule["id"] == "color-contrast"),
            "the colour contrast was not checked"
        );
        Ok(rules("violations")?
            .iter()
            .chain(&rules("incomplete")?)
            .map(description)
            .collect())
    }
}

/// A rule of axe-core's result with the elements that it concerns.
fn description(rule: &Value) -> String {
    let elements: Vec<_> = rule["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| node["html"].to_string())
        .collect();

    format!("{}: {}: {}", rule["id"], rule["help"], elements.join(", "))
}
