import { useKeys } from "../keys.js";
import { AlertList } from "../components/alert-list.js";
import { Filters } from "../components/filters.js";
import { go, pathOf } from "../router.js";
import { store, useStore } from "../store.js";
import { AlertPage } from "./alert-page.js";

/** The list, and beside it (on a phone: instead of it) the alert that was chosen. */
export function AlertsView({ selected }: { selected: string | undefined }) {
  const { shown } = useStore();
  const step = (by: number) => (): void => {
    const at = store.shown.findIndex(({ id }) => id === selected);
    const next = store.shown[at < 0 ? 0 : Math.min(store.shown.length - 1, Math.max(0, at + by))];
    if (next !== undefined) go(pathOf(next.id), selected !== undefined);
  };
  const to =
    (end: "first" | "last") =>
    (event: KeyboardEvent): void => {
      const row = end === "first" ? store.shown[0] : store.shown.at(-1);
      if (row === undefined) return;
      event.preventDefault();
      go(pathOf(row.id), selected !== undefined);
    };
  useKeys({
    j: step(1),
    k: step(-1),
    ArrowDown: (event) => (event.preventDefault(), step(1)()),
    ArrowUp: (event) => (event.preventDefault(), step(-1)()),
    Home: to("first"),
    End: to("last"),
    Enter: () => document.getElementById("alert-title")?.focus(),
    Escape: () => {
      if (selected === undefined) return;
      go("/");
      document.getElementById("alert-list")?.focus();
    },
    p: () => store.setPaused(!store.paused),
  });
  return (
    <div class={`alerts ${selected === undefined ? "" : "with-alert"}`}>
      <section class="list-pane" aria-label="Alerts">
        <Filters />
        <AlertList rows={shown} selected={selected} />
      </section>
      {selected === undefined ? null : <AlertPage key={selected} id={selected} />}
    </div>
  );
}
