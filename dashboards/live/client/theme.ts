/** What a person may choose; `system` follows the device. */
export type Theme = "system" | "light" | "dark";

const listeners = new Set<() => void>();
const system = matchMedia("(prefers-color-scheme: dark)");
system.addEventListener("change", () => listeners.forEach((listener) => listener()));

export function theme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function setTheme(next: Theme): void {
  if (next === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset["theme"];
  } else {
    localStorage.setItem("theme", next);
    document.documentElement.dataset["theme"] = next;
  }
  listeners.forEach((listener) => listener());
}

/** Calls back when what is shown changes between light and dark. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

const probe = document.head.appendChild(document.createElement("i"));

/** A colour as the style sheet would write it, such as `var(--muted)`, for a canvas, which knows none of its names. */
export function cssColour(colour: string): string {
  probe.style.color = colour;
  return getComputedStyle(probe).color;
}
