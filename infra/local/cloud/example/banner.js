// Shows the in-product messages of BILL Engage in your product. Copy this file; it has no dependencies.
//
//   <script type="module" src="/banner.js"></script>
//   <engage-banner src="/engage/messages"></engage-banner>
//
// `src` is a URL of your own back end. The back end knows the organization of the signed-in user, calls the
// in-product API for it (docs/in-product.md) and returns the API's response:
//
//   GET  {src}               200 {"messages": [...]}
//   POST {src}/{id}/dismiss  204; 404 when the message no longer exists
//
// If the request fails, the banner shows nothing new. The banner inherits the font of the page. A CSS rule for
// `engage-banner` can set the custom properties below to change the colors.

const TEXTS = {
  severity: { info: "", warning: "Warning: ", critical: "Important: " },
  close: "Close this message",
  closed: "The message is closed.",
  notClosed: "The message could not be closed. Please try again later.",
};

const STYLE = `
:where(engage-banner) {
  --engage-text: light-dark(#1f2933, #e6eaee);
  --engage-info: light-dark(#17594a, #8fd6c2);
  --engage-info-surface: light-dark(#edf6f2, #172a28);
  --engage-info-border: light-dark(#b5d5cb, #2f5a50);
  --engage-warning: light-dark(#8a5300, #f2c26b);
  --engage-warning-surface: light-dark(#fff7e6, #2b2416);
  --engage-warning-border: light-dark(#ecd08f, #65501f);
  --engage-critical: light-dark(#a3271d, #ffb4ab);
  --engage-critical-surface: light-dark(#fff1ef, #331c1b);
  --engage-critical-border: light-dark(#f0bdb8, #703a36);
  --engage-on-button: light-dark(#ffffff, #12181d);
  --engage-radius: 12px;
}
engage-banner { display: block; container-type: inline-size; }
engage-banner:focus { outline: none; }
engage-banner .engage-message {
  --tone: var(--engage-info);
  display: grid; grid-template-columns: auto 1fr auto; gap: 2px 12px; box-sizing: border-box; margin: 0 0 16px; padding: 16px;
  border: 1px solid var(--engage-info-border); border-radius: var(--engage-radius);
  background: var(--engage-info-surface); color: var(--engage-text); overflow-wrap: anywhere;
}
engage-banner .engage-message[data-severity="warning"] {
  --tone: var(--engage-warning); border-color: var(--engage-warning-border); background: var(--engage-warning-surface);
}
engage-banner .engage-message[data-severity="critical"] {
  --tone: var(--engage-critical); border-color: var(--engage-critical-border); background: var(--engage-critical-surface);
}
engage-banner .engage-icon { width: 24px; height: 24px; color: var(--tone); }
engage-banner .engage-title { margin: 0; font: inherit; font-weight: 650; line-height: 24px; text-wrap: balance; }
engage-banner .engage-body { grid-column: 2 / 4; margin: 0; font-size: 0.9375em; line-height: 1.5; text-wrap: pretty; }
engage-banner .engage-action {
  grid-column: 2 / 4; justify-self: start; display: inline-flex; align-items: center; box-sizing: border-box; min-height: 44px;
  margin-top: 12px; padding: 8px 18px; border: 1px solid transparent; border-radius: calc(var(--engage-radius) - 4px);
  background: var(--tone); color: var(--engage-on-button); font-weight: 600; text-decoration: none;
}
engage-banner .engage-action:hover { text-decoration: underline; text-underline-offset: 3px; }
engage-banner .engage-close {
  grid-area: 1 / 3; display: grid; place-items: center; width: 44px; height: 44px; margin: -10px -10px -4px 0; padding: 0;
  border: 0; border-radius: calc(var(--engage-radius) - 4px); background: none; color: inherit; cursor: pointer;
}
engage-banner .engage-close svg { width: 20px; height: 20px; }
engage-banner .engage-close:hover { color: var(--tone); }
engage-banner :is(.engage-action, .engage-close):focus-visible { outline: 3px solid var(--engage-text); outline-offset: 2px; }
engage-banner .engage-close:focus-visible { outline-offset: -4px; }
engage-banner .engage-status { margin: 0 0 16px; color: var(--engage-text); }
engage-banner .engage-visually-hidden { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (min-width: 44rem) {
  engage-banner .engage-message { grid-template-columns: auto 1fr auto auto; align-items: center; padding: 16px 20px; }
  engage-banner .engage-icon { align-self: start; }
  engage-banner .engage-body { grid-column: 2; }
  engage-banner .engage-action { grid-area: 1 / 3 / 3; margin: 0; }
  engage-banner .engage-close { grid-area: 1 / 4 / 3; margin: 0 -10px 0 -4px; }
}
`;

// SVG paths of outline icons with the view box 0 0 24 24.
const ICONS = {
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 7.75v.5",
  warning: "M12 4 2.75 20h18.5zM12 10v4.5M12 17v.5",
  critical: "M8.25 3h7.5L21 8.25v7.5L15.75 21h-7.5L3 15.75v-7.5zM12 7.5v5.5M12 16v.5",
  close: "M6 6l12 12M18 6 6 18",
};

class EngageBanner extends HTMLElement {
  static #created = 0;
  #status = element("p", { class: "engage-visually-hidden", role: "status" });

  connectedCallback() {
    this.refresh();
  }

  // Loads the messages and shows them. Call it again to update a page that stays open.
  async refresh() {
    let messages;
    try {
      messages = await this.#messages();
    } catch {
      return;
    }
    this.#announce("");
    this.replaceChildren(...messages.map((message) => this.#section(message)), this.#status);
    this.#count();
  }

  async #messages() {
    const response = await fetch(this.getAttribute("src"), { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await response.json()).messages;
  }

  #section({ id, title, body, call_to_action: action, severity, dismissible }) {
    const level = severity in TEXTS.severity ? severity : "info";
    const titleId = `engage-title-${++EngageBanner.#created}`;
    const heading = element("h2", { class: "engage-title", id: titleId });
    if (TEXTS.severity[level]) heading.append(element("span", { class: "engage-visually-hidden" }, TEXTS.severity[level]));
    heading.append(title);
    const section = element("section", { class: "engage-message", "data-severity": level, "aria-labelledby": titleId });
    section.append(icon(level, "engage-icon"), heading, element("p", { class: "engage-body" }, body));
    if (isHttps(action.url)) section.append(element("a", { class: "engage-action", href: action.url }, action.label));
    if (dismissible) {
      const close = element("button", { class: "engage-close", type: "button", "aria-label": TEXTS.close });
      close.append(icon("close"));
      close.addEventListener("click", () => this.#close(section, id));
      section.append(close);
    }
    return section;
  }

  async #close(section, id) {
    if (!(await this.#dismiss(id))) return this.#announce(TEXTS.notClosed, true);
    const hadFocus = section.contains(document.activeElement);
    section.remove();
    this.#count();
    this.#announce(TEXTS.closed);
    // The focused element was removed. Keep the focus here, so that keyboard users do not start again at the top of the page.
    if (hadFocus) {
      this.tabIndex = -1;
      this.focus();
    }
  }

  // Returns whether the message is closed. 404 means that it was closed elsewhere or has expired.
  async #dismiss(id) {
    try {
      const response = await fetch(`${this.getAttribute("src")}/${encodeURIComponent(id)}/dismiss`, { method: "POST" });
      return response.ok || response.status === 404;
    } catch {
      return false;
    }
  }

  #announce(text, isVisible = false) {
    this.#status.className = isVisible ? "engage-status" : "engage-visually-hidden";
    this.#status.textContent = text;
  }

  // Lets the page style an empty banner: `engage-banner[data-messages="0"]`.
  #count() {
    this.dataset.messages = this.querySelectorAll("section").length;
  }
}

// Creates an element with attributes and text. The text is never parsed as HTML.
function element(name, attributes, text = "") {
  const created = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, value);
  created.textContent = text;
  return created;
}

function icon(name, style) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [attribute, value] of Object.entries(attributes)) svg.setAttribute(attribute, value);
  if (style) svg.setAttribute("class", style);
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// Only https links are shown, so that a `javascript:` URL cannot run.
function isHttps(url) {
  return URL.canParse(url) && new URL(url).protocol === "https:";
}

const style = new CSSStyleSheet();
style.replaceSync(STYLE);
document.adoptedStyleSheets.push(style);
customElements.define("engage-banner", EngageBanner);
