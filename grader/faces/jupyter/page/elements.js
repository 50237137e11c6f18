// Elements of a page, made without a framework.

const FOCUSABLE = new Set(["input", "textarea", "button", "summary"]);

let serial = 0;
export const unique = (word) => `tg-${word}-${++serial}-${Math.random().toString(36).slice(2, 8)}`;

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  // JupyterLab looks for this on whatever has the focus, before it takes a key for one of its shortcuts.
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children.filter((child) => child != null && child !== ""));
  return element;
}

// The service escapes all text and makes the HTML itself.
export function html(tag, attributes, markup) {
  const element = make(tag, attributes);
  element.innerHTML = markup;
  return element;
}

export const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);
export const percent = (share) => `${Math.round(share * 100)} %`;
