import type { ChangeKind, ExportChange, MapDiff } from './diff-maps.ts';
import { plainText } from './stamp-lines.ts';

/** Changes that a comment shows; it says how many there are. */
const SHOWN = 100;

/** A comment for a pull request. Names are shown as they are: none of them becomes a link, a mention or HTML. */
export function diffMarkdown(
  diff: MapDiff,
  forbidden: readonly ExportChange[],
  kinds: readonly ChangeKind[],
): string {
  const lines = ['### Data map', '', diffSummary(diff)];
  if (kinds.length > 0) {
    const list = kinds.map((kind) => `\`${kind}\``).join(', ');
    lines.push(
      '',
      forbidden.length === 0
        ? `✅ Nothing of ${list}.`
        : `❌ **${forbidden.length} of ${diff.changes.length} changes** are of ${list}.`,
    );
  }
  if (diff.changes.length > 0) {
    lines.push('', '| | change | what | data type | category | |', '| --- | --- | --- | --- | --- | --- |');
    for (const change of diff.changes.slice(0, SHOWN)) lines.push(rowOf(change, forbidden.includes(change)));
    const rest = diff.changes.length - SHOWN;
    if (rest > 0) lines.push('', `… and ${rest} more.`);
  }
  lines.push(
    '',
    `<sub>As of ${diff.after.as_of}, against ${diff.before.as_of} (SHA-256 ${diff.before.sha256.slice(0, 12)}…)</sub>`,
  );
  return `${lines.join('\n')}\n`;
}

/** `2 new services, 1 store or flow gone.` */
export function diffSummary({ services, changes }: MapDiff): string {
  const count = (change: ExportChange['change']) => changes.filter((entry) => entry.change === change).length;
  const parts = [
    [services.added.length, 'new service', 'new services'],
    [services.removed.length, 'service gone', 'services gone'],
    [count('added'), 'new store or flow', 'new stores and flows'],
    [count('removed'), 'store or flow gone', 'stores and flows gone'],
    [count('changed'), 'store or flow changed', 'stores and flows changed'],
  ] as const;
  const told = parts.filter(([number]) => number > 0);
  const words = told.map(([number, one, many]) => `${number} ${number === 1 ? one : many}`);
  return words.length === 0 ? 'Nothing changed.' : `${words.join(', ')}.`;
}

function rowOf(change: ExportChange, isForbidden: boolean): string {
  const words = { added: 'new', removed: 'gone', changed: 'changed' } as const;
  const what =
    change.to === null ? `${cell(change.service)} stores` : `${cell(change.service)} → ${cell(change.to)}`;
  const category = change.category === null ? 'none' : cell(change.category);
  const was = change.change === 'changed' ? ` (was ${change.was === null ? 'none' : cell(change.was)})` : '';
  const notes = [change.sensitivity, change.external ? 'leaves the organization' : null].filter(
    (note) => note !== null,
  );
  return `| ${isForbidden ? '❌' : ''} | ${words[change.change]} | ${what} | ${cell(change.data_type)} | ${category}${was} | ${notes.join(', ')} |`;
}

/** As code, in which nothing of Markdown has a meaning but backticks and the bar of a table. */
function cell(text: string): string {
  const plain = plainText(text).replaceAll('`', 'ˋ').replaceAll('|', '¦');
  return `\`${plain.trim() === '' ? ' ' : plain}\``;
}
