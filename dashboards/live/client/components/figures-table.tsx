import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** What a row is about, and its figures, in the order of the columns. */
export interface FiguresRow {
  readonly key: string | number;
  readonly head: ComponentChildren;
  readonly figures: readonly ComponentChildren[];
  readonly class?: string;
  /** Shown when one points at it. */
  readonly title?: string;
}

/** Figures below each other. It scrolls by itself, by keyboard too, where there is no room for it. */
export function FiguresTable({
  caption,
  columns: [first, ...others],
  rows,
}: {
  /** Heard and not seen: a heading above says it to those who see. */
  caption: string;
  columns: readonly string[];
  rows: readonly FiguresRow[];
}) {
  const id = useId();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-labelledby={id}>
      <table class="figures-table">
        <caption id={id} class="only-heard">
          {caption}
        </caption>
        <thead>
          <tr>
            <th scope="col">{first}</th>
            {others.map((column) => (
              <th key={column} scope="col" class="number">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, head, figures, class: name, title }) => (
            <tr key={key} class={name} title={title}>
              <th scope="row">{head}</th>
              {figures.map((figure, column) => (
                <td key={column} class="number">
                  {figure}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
