// One question on a page of somebody else: a frame that is as high as what is in it. It is a module for anywidget (as in MyST's
// `{anywidget}` directive, with {"item": "ID"} as its model) and, in plain HTML, the element <torch-question item="ID">.

function framed(item, variant) {
  const frame = document.createElement("iframe");
  const source = new URL(`q/${encodeURIComponent(item)}`, import.meta.url);
  if (variant !== undefined && variant !== null) source.searchParams.set("v", String(variant));
  frame.src = source.href;
  frame.title = "Question";
  frame.style.cssText = "display: block; width: 100%; border: 0; height: 30rem";
  const listen = (event) => {
    if (event.source !== frame.contentWindow || event.origin !== source.origin) return;
    const height = event.data?.graderHeight;
    if (Number.isFinite(height) && height > 0) frame.style.height = `${Math.min(height, 20000)}px`;
  };
  addEventListener("message", listen);
  return [frame, () => removeEventListener("message", listen)];
}

function render({ model, el }) {
  const [frame, forget] = framed(model.get("item"), model.get("variant"));
  el.append(frame);
  return forget;
}

if (!customElements.get("torch-question")) {
  customElements.define("torch-question", class extends HTMLElement {
    connectedCallback() {
      const [frame, forget] = framed(this.getAttribute("item"), this.getAttribute("variant"));
      this.forget = forget;
      this.replaceChildren(frame);
    }

    disconnectedCallback() { this.forget?.(); }
  });
}

export default { render };
