import open from "open";

import { given } from "../process/environment.js";

/** Where a browser would pop up in front of the person who asked for it. */
function sensible(env: ReturnType<typeof given>): boolean {
  if (!process.stdout.isTTY || env["CI"] !== undefined || env["SSH_CONNECTION"] !== undefined) return false;
  return process.platform === "darwin" || (env["DISPLAY"] ?? env["WAYLAND_DISPLAY"]) !== undefined;
}

/** Opens a page in the person's browser if there is one to see: not in a pipe, in CI, or over SSH. Never fails. */
export async function openPage(url: string): Promise<void> {
  if (!sensible(given())) return;
  try {
    const browser = await open(url);
    browser.on("error", () => undefined);
  } catch {
    // The address is on the screen.
  }
}
