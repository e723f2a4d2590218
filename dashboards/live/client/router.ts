import { useLayoutEffect, useState } from "preact/hooks";

export type Page =
  | { readonly name: "alerts"; readonly alert: string | undefined }
  | { readonly name: "pipeline" }
  | { readonly name: "quality" }
  | { readonly name: "audit" };

export function pageOf(path: string): Page {
  if (path === "/quality") return { name: "quality" };
  if (path === "/pipeline" || path === "/audit") return { name: path === "/audit" ? "audit" : "pipeline" };
  const match = /^\/alerts\/([^/]+)\/(\d+)$/.exec(path);
  return { name: "alerts", alert: match === null ? undefined : `${decodeURIComponent(match[1]!)}/${match[2]!}` };
}

export function pathOf(alert: string): string {
  const slash = alert.lastIndexOf("/");
  return `/alerts/${encodeURIComponent(alert.slice(0, slash))}/${alert.slice(slash + 1)}`;
}

const listeners = new Set<() => void>();
addEventListener("popstate", () => listeners.forEach((listener) => listener()));

/** Shows another page. @param replace - without a step in the browser's history */
export function go(path: string, replace = false): void {
  if (path === location.pathname) return;
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  listeners.forEach((listener) => listener());
}

export function usePage(): Page {
  const [path, setPath] = useState(location.pathname);
  // Before the first paint: who sees the page can press a key.
  useLayoutEffect(() => {
    const listener = (): void => setPath(location.pathname);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return pageOf(path);
}

/** A link's click that stays within the page, unless the person wants a new tab. */
export function follow(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go((event.currentTarget as HTMLAnchorElement).pathname);
}
