import type { Identity } from '../../catalog/index.ts';
import type { PackagedCollection } from './manifest.ts';

/** Whose data is asked for. */
export interface PersonHere {
  readonly organizationId: string;
  /** All that are known of the person. */
  readonly identities: readonly Identity[];
}

/** Rows that Habeas itself holds of a person, such as what they agreed to. */
export interface HeldCollection {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** What Habeas holds of a person beside what their requests are about; collections without rows are left out. */
export type HeldHere = (person: PersonHere) => Promise<readonly HeldCollection[]>;

/** As packages name it. */
const SYSTEM = 'habeas';

/** How it goes into a package, and the texts that decide about its bytes. */
export async function packagedHere(
  heldHere: HeldHere,
  person: PersonHere,
): Promise<{ readonly collections: readonly PackagedCollection[]; readonly texts: readonly string[] }> {
  const held = (await heldHere(person)).filter(({ rows }) => rows.length > 0);
  const collections = held.map(({ name, columns, rows }): PackagedCollection => {
    const texts = rows.map((row) => JSON.stringify(row));
    return {
      system: SYSTEM,
      name,
      columns,
      rows: rows.length,
      bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0),
      async *read(from) {
        if (from === 0) yield texts;
      },
    };
  });
  return { collections, texts: held.map((one) => JSON.stringify(one.rows)) };
}
