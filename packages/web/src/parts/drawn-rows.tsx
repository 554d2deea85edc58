import { Table } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type Ref, useEffect, useLayoutEffect, useRef, useState } from 'react';

/**
 * What a row takes on average: a guess until a table was drawn, and from then on what its rows took. Who comes back to a
 * list finds the same place of it, as high as it was.
 */
let rowPixels = 44;
/** Drawn beyond the window on either side, so that tabbing through rows never comes to an end that is not one. */
const BEYOND = 15;
/** More rows are read when fewer than these are left below, so that whoever is quick finds them there. */
const LEFT = 50;

export interface DrawnRowsProps<Item> {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  /** How many columns the table has. */
  readonly columns: number;
  /** Draws one row, which must carry `place`. */
  readonly row: (item: Item, place: RowPlace) => ReactNode;
  /** Called when the reader comes near the end. */
  readonly nearEnd: () => void;
}

export interface RowPlace {
  readonly ref: Ref<HTMLTableRowElement>;
  readonly 'data-index': number;
  /** Counted from 1, the head being the first: what a screen reader tells of a table of which not all is drawn. */
  readonly 'aria-rowindex': number;
}

/** The rows of a table that are in the window, between two that are as high as all others above and below. */
export function DrawnRows<Item>({ items, keyOf, columns, row, nearEnd }: DrawnRowsProps<Item>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const scrollMargin = useTop(body);
  const virtualizer = useWindowVirtualizer<HTMLTableRowElement>({
    count: items.length,
    getItemKey: (index) => keyOf(items[index] as Item),
    estimateSize: () => rowPixels,
    overscan: BEYOND,
    scrollMargin,
    // A row is measured while React draws it, when React must not be asked to draw at once.
    useFlushSync: false,
  });
  const drawn = virtualizer.getVirtualItems();
  const from = drawn.at(0)?.start ?? scrollMargin;
  const last = drawn.at(-1);
  const count = items.length;
  const atEnd = last !== undefined && last.index >= count - LEFT;
  useEffect(() => {
    if (atEnd && count > 0) nearEnd();
  }, [atEnd, count, nearEnd]);
  useEffect(
    () => () => {
      const { count: rows } = virtualizer.options;
      if (rows > 0) rowPixels = virtualizer.getTotalSize() / rows;
    },
    [virtualizer],
  );
  return (
    <Table.Tbody ref={body}>
      <Space columns={columns} pixels={from - scrollMargin} />
      {drawn.map(({ index }) =>
        row(items[index] as Item, {
          ref: virtualizer.measureElement,
          'data-index': index,
          'aria-rowindex': index + 2,
        }),
      )}
      <Space
        columns={columns}
        pixels={virtualizer.getTotalSize() - ((last?.end ?? scrollMargin) - scrollMargin)}
      />
    </Table.Tbody>
  );
}

/** How far `element` is below the top of the page, whatever stands above it now. */
function useTop(element: React.RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (element.current !== null)
      setTop(Math.round(element.current.getBoundingClientRect().top + window.scrollY));
  });
  return top;
}

function Space({ columns, pixels }: { readonly columns: number; readonly pixels: number }) {
  if (pixels <= 0) return null;
  return (
    <tr>
      <td colSpan={columns} style={{ height: pixels, padding: 0 }} />
    </tr>
  );
}
