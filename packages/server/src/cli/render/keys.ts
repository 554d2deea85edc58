import { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** API keys, without the keys. */
export function keyLines(
  keys: readonly api.ApiKeyView[],
  options: { readonly width: number; readonly paint: Paint; readonly now: Date },
): readonly string[] {
  const { width, paint, now } = options;
  return table<api.ApiKeyView>({
    columns: [
      { title: 'KEY', value: (key) => key.id },
      { title: 'FOR', value: (key) => printable(key.name), flexible: true },
      { title: 'MAY', value: mayDo, flexible: true },
      { title: 'MADE', value: (key) => key.created_at.slice(0, 10) },
      {
        title: 'STATE',
        value: (key) => stateOf(key, now),
        flexible: true,
        paint: (text, key) => (stateOf(key, now).startsWith('valid') ? paint.good(text) : paint.quiet(text)),
      },
    ],
    rows: keys,
    width,
    paint,
  });
}

/** The role with exactly these scopes, or the scopes. */
function mayDo({ scopes, teams }: api.ApiKeyView): string {
  const has = new Set<string>(scopes);
  const role = Object.entries(api.ROLES).find(
    ([, of]) => of.length === has.size && of.every((one) => has.has(one)),
  );
  const what = role?.[0] ?? scopes.join(' ');
  return teams === null ? what : `${what} (${printable(teams.join(', '))})`;
}

function stateOf(key: api.ApiKeyView, now: Date): string {
  if (key.revoked_at !== null) return `revoked ${key.revoked_at.slice(0, 10)}`;
  if (key.expires_at === null) return 'valid';
  return new Date(key.expires_at) > now
    ? `valid until ${shortTime(key.expires_at)}`
    : `expired ${shortTime(key.expires_at)}`;
}

/** A key that was just made; the only time that it is printed. */
export function newKeyLines(key: api.NewApiKeyView): readonly string[] {
  const until =
    key.expires_at === null ? 'it does not expire' : `it expires at ${shortTime(key.expires_at)} UTC`;
  return [
    `Key ${key.id}, shown this once; only its hash is stored, and ${until}:`,
    '',
    `  HABEAS_API_KEY=${key.key}`,
  ];
}
