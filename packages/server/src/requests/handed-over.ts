import { HabeasError } from '../foundation/index.ts';
import type { Piece } from './blob-store.ts';
import { type CollectedCollection, CollectionWriter } from './collected/collection-writer.ts';
import { PiecePacker, type TextPiece } from './collected/pack-piece.ts';
import type { CloseTicket } from './requests.ts';

/** What a team hands over with a ticket, in the shape in which collected data lies. */
export interface HandedOver {
  /** Packed. */
  readonly pieces: readonly Piece[];
  readonly contents: readonly CollectedCollection[];
  readonly rows: number;
}

/** Throws BAD_INPUT for what cannot be stored as it is, and for a count that is another one. */
export async function gatherHandedOver({ data = {}, count }: CloseTicket): Promise<HandedOver> {
  const pieces: TextPiece[] = [];
  const contents: CollectedCollection[] = [];
  for (const [number, [name, rows]] of Object.entries(data).entries()) {
    if (name === '' || name.includes('\0') || !name.isWellFormed())
      throw new HabeasError('BAD_INPUT', 'A name in `data` is empty, or holds NUL or half of a character.');
    const writer = new CollectionWriter(name, number);
    for (const row of rows) {
      addRow(writer, row);
      pieces.push(...writer.takeFull());
    }
    const end = writer.end();
    pieces.push(...end.pieces);
    contents.push(end.collection);
  }
  const rows = contents.reduce((sum, content) => sum + content.rows, 0);
  if (contents.length > 0 && count !== undefined && count !== rows) {
    throw new HabeasError(
      'BAD_INPUT',
      `The count is ${count}, but \`data\` has ${rows} rows. Leave the count out, or correct one of them.`,
    );
  }
  const packer = new PiecePacker();
  const packed: Piece[] = [];
  try {
    for (const piece of pieces) packed.push(await packer.pack(piece));
  } finally {
    packer.close();
  }
  return { pieces: packed, contents, rows };
}

function addRow(writer: CollectionWriter, row: Readonly<Record<string, unknown>>): void {
  try {
    writer.add(row);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new HabeasError('BAD_INPUT', 'A row in `data` is nested too deeply.', { cause: error });
  }
}
