import { parseYamlWithPlaces, type SourcePlace } from '../../foundation/index.ts';
import { parseRecord, readRecord } from './record-file.ts';

/** One thing that is likely a mistake in the record, and where. */
export interface RecordFinding {
  readonly message: string;
  readonly place: SourcePlace;
}

/** {@link lintRecord} of a file; without one there is nothing to say. */
export function lintRecordFile(file: string | undefined): readonly RecordFinding[] {
  return file === undefined ? [] : lintRecord(readRecord(file), file);
}

/** What the schema allows and is likely wrong all the same. Throws RECORD_INVALID like {@link parseRecord}. */
export function lintRecord(text: string, file: string): readonly RecordFinding[] {
  const record = parseRecord(text, file);
  const { placeOf } = parseYamlWithPlaces(text, file, 'RECORD_INVALID');
  const findings: RecordFinding[] = [];
  const names = new Set<string>();
  const tell = (path: readonly PropertyKey[], message: string) =>
    findings.push({ message, place: placeOf(path) });
  for (const [index, activity] of record.activities.entries()) {
    const path = ['activities', index] as const;
    if (names.has(activity.name)) tell([...path, 'name'], `Two activities have the name "${activity.name}".`);
    names.add(activity.name);
    if ((activity.services ?? activity.data ?? activity.declared_purposes) === undefined)
      tell(
        path,
        'This activity covers nothing of the map. Name its `services`, `data` or `declared_purposes`.',
      );
    if (activity.legal_basis === 'legitimate-interests' && activity.interest === undefined)
      tell([...path, 'legal_basis'], 'Name the `interest` (Article 13(1)(d)).');
    if (activity.interest !== undefined && activity.legal_basis !== 'legitimate-interests')
      tell([...path, 'interest'], 'An `interest` goes with the legal basis `legitimate-interests` only.');
    for (const [place, transfer] of (activity.transfers ?? []).entries())
      if (transfer.safeguard === undefined)
        tell([...path, 'transfers', place], 'Name the `safeguard` of this transfer (Articles 45 to 49).');
  }
  return findings;
}
