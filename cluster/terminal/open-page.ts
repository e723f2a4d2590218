import open from "open";

/** Where a browser would pop up in front of the person who asked for it. */
function sensible(env: NodeJS.ProcessEnv): boolean {
  if (!process.stdout.isTTY || env["CI"] || env["SSH_CONNECTION"]) return false;
  return process.platform === "darwin" || Boolean(env["DISPLAY"] ?? env["WAYLAND_DISPLAY"]);
}

/** Opens a page in the person's browser if there is one to see: not in a pipe, in CI, or over SSH. Never fails. */
export async function openPage(url: string): Promise<void> {
  if (!sensible(process.env)) return;
  try {
    const browser = await open(url);
    browser.on("error", () => undefined);
  } catch {
    // The address is on the screen.
  }
}
