import { HabeasError } from '../foundation/index.ts';
import type { Piece } from './blob-store.ts';
import { type CollectedCollection, CollectionWriter } from './collection-writer.ts';
import type { CloseTicket } from './requests.ts';

/** What a team hands over with a ticket, in the shape in which collected data lies. */
export interface HandedOver {
  readonly pieces: readonly Piece[];
  readonly contents: readonly CollectedCollection[];
  readonly rows: number;
}

/** Throws BAD_INPUT for what cannot be stored as it is, and for a count that is another one. */
export function gatherHandedOver({ data = {}, count }: CloseTicket): HandedOver {
  const pieces: Piece[] = [];
  const contents: CollectedCollection[] = [];
  for (const [name, rows] of Object.entries(data)) {
    if (name === '' || name.includes('\0') || !name.isWellFormed())
      throw new HabeasError('BAD_INPUT', 'A name in `data` is empty, or holds NUL or half of a character.');
    const writer = new CollectionWriter(name);
    for (const row of rows) {
      addRow(writer, row);
      if (writer.isFull) pieces.push(...writer.takePiece());
    }
    pieces.push(...writer.takePiece());
    contents.push(writer.summary());
  }
  const rows = contents.reduce((sum, content) => sum + content.rows, 0);
  if (contents.length > 0 && count !== undefined && count !== rows) {
    throw new HabeasError(
      'BAD_INPUT',
      `The count is ${count}, but \`data\` has ${rows} rows. Leave the count out, or correct one of them.`,
    );
  }
  return { pieces, contents, rows };
}

function addRow(writer: CollectionWriter, row: Readonly<Record<string, unknown>>): void {
  try {
    writer.add(row);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new HabeasError('BAD_INPUT', 'A row in `data` is nested too deeply.', { cause: error });
  }
}
