import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { termInWords } from './deadline.ts';
import { LAWS, type Law, type Term } from './laws.ts';

it('docs/deadlines.md lists exactly the laws that are counted by, with their terms', () => {
  const page = readFileSync(new URL('../../../../docs/deadlines.md', import.meta.url), 'utf8');
  const told = page.split('\n').filter((line) => line.startsWith('| `') && !line.startsWith('| `law`'));
  expect(told).toEqual(Object.entries(LAWS).map(([id, law]) => row(id, law)));
});

function row(id: string, law: Law): string {
  const term = (one: Term | null) => (one === null ? '–' : termInWords(one));
  const cells = [
    `\`${id}\``,
    law.name,
    term(law.answer),
    term(law.acknowledgement),
    term(law.extension),
    law.rollOver === 'none' ? 'no' : 'yes',
    law.stops.length === 0 ? '–' : law.stops.join(', '),
    law.source,
  ];
  return `| ${cells.join(' | ')} |`;
}
