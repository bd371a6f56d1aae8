// Create elements and copy text to the clipboard. Strings are always inserted as text, never as HTML.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

let hiding;

export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => place.classList.remove("shown"), 1600);
}

/** Copy text; without HTTPS, browsers only allow the deprecated `execCommand`. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) return toast("The browser does not allow copying");
  }
  toast("Copied");
}

export function copyButton(text, what) {
  return element("button", { type: "button", "aria-label": `Copy ${what}`, onclick: () => copy(text) }, "Copy");
}
