import { useEffect, useRef } from "preact/hooks";

const KEYS = [
  ["j, k", "next, previous alert"],
  ["Enter", "open it"],
  ["Esc", "back to the list; leave a field"],
  ["/", "search"],
  ["c", "confirm fraud"],
  ["f", "false alarm"],
  ["p", "pause the list, or let it go on"],
  ["Home, End", "newest, oldest alert"],
  ["?", "this sheet"],
] as const;

export function HelpSheet({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      aria-labelledby="help-title"
    >
      <h2 id="help-title">Keyboard</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(", ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
