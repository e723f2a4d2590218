import { useEffect, useState } from "preact/hooks";

import { follow, type Page } from "../router.js";
import { useStore } from "../store.js";
import { onThemeChange, setTheme, type Theme, theme } from "../theme.js";
import { Icon } from "./icon.js";

const TABS = [
  ["alerts", "/", "Alerts"],
  ["pipeline", "/pipeline", "Pipeline"],
  ["quality", "/quality", "Quality"],
  ["audit", "/audit", "Audit"],
] as const;

export function Header({ page, onHelp }: { page: Page; onHelp: () => void }) {
  return (
    <header class="top">
      <a class="brand" href="/" onClick={follow}>
        <Icon name="pulse" />
        <span>Fraud watch</span>
      </a>
      <nav aria-label="Pages">
        {TABS.map(([name, path, title]) => (
          <a key={name} href={path} onClick={follow} aria-current={page.name === name ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <div class="tools">
        <ConnectionChip />
        <ThemeButton />
        <button class="icon-button" type="button" onClick={onHelp} aria-label="Keyboard help" title="Keyboard help (?)">
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function ConnectionChip() {
  const { connection, paused } = useStore();
  const state = connection === "live" && paused ? "paused" : connection;
  const words = {
    live: "Live",
    paused: "Paused",
    connecting: "Connecting",
    lost: "Reconnecting",
    "sign-in": "Signed out",
  }[state];
  return (
    <span class={`chip connection ${state}`} role="status">
      <i aria-hidden="true" />
      <span>{words}</span>
    </span>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: "contrast", light: "sun", dark: "moon" } as const;

function ThemeButton() {
  const [chosen, setChosen] = useState(theme);
  useEffect(() => onThemeChange(() => setChosen(theme())), []);
  return (
    <button
      class="icon-button"
      type="button"
      onClick={() => setTheme(NEXT[chosen])}
      aria-label={`Colours: ${chosen}. Change to ${NEXT[chosen]}`}
      title={`Colours: ${chosen}`}
    >
      <Icon name={ICONS[chosen]} />
    </button>
  );
}
