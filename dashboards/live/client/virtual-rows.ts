/** Which rows of a long list have to be drawn. */
export interface VisibleRows {
  readonly first: number;
  /** The one after the last. */
  readonly end: number;
}

/** Rows beyond each edge, so that scrolling does not show an empty list. */
const MARGIN = 8;

/** @param viewport - the height of what one sees, in pixels */
export function visibleRows({
  scrollTop,
  viewport,
  rowHeight,
  count,
}: {
  scrollTop: number;
  viewport: number;
  rowHeight: number;
  count: number;
}): VisibleRows {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight)) - MARGIN);
  return { first, end: Math.min(count, Math.ceil((scrollTop + viewport) / rowHeight) + MARGIN) };
}

/** Where to scroll to, so that a row is seen whole; where one is already, if it is. */
export function scrollTo({
  row,
  scrollTop,
  viewport,
  rowHeight,
}: {
  row: number;
  scrollTop: number;
  viewport: number;
  rowHeight: number;
}): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewport) return top + rowHeight - viewport;
  return scrollTop;
}
