import type { api } from '@habeas/contract';

/** What an export says about itself, a sentence each; without line breaks or control characters. */
export function stampLines(stamp: api.ExportStamp): readonly string[] {
  const { services, teams, data_types: types, stores, flows, gaps } = stamp.counts;
  const filter = Object.entries(stamp.filter).map(([name, value]) => `${name} = ${value}`);
  return [
    `Data map of ${stamp.organization}`,
    `Generated ${stamp.generated_at} by ${stamp.product}`,
    `As of ${stamp.as_of}`,
    `Filter: ${filter.length === 0 ? 'none, the whole map' : filter.join(', ')}`,
    `${some(services, 'service')} of ${some(teams, 'team')}, ${some(types, 'data type')}, ${some(stores, 'store')}, ${some(flows, 'flow')}, ${some(gaps, 'gap')}`,
    `SHA-256 of the JSON form: ${stamp.sha256}`,
  ].map(plainText);
}

function some(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/**
 * Text from outside on one line, without control characters, bidirectional overrides and halves of surrogate pairs: what is
 * left may stand in any text file, and in XML 1.0 after its five characters are escaped.
 */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]+/gu, ' ');
}
