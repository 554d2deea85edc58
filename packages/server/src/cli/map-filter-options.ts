import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ServerOptions } from './context.ts';

/** The filter of every question about the map, as options. */
export interface MapFilterOptions extends ServerOptions {
  readonly team?: string;
  readonly service?: string;
  readonly dataType?: string;
  readonly category?: string;
  readonly external?: 'true' | 'false';
  readonly asOf?: string;
}

/** Adds the filter; a question about one service names it by itself. */
export function withMapFilter(command: Command, about: 'map' | 'service'): Command {
  const filtered = command.option(
    '--team <name>',
    'only data of services of this team, and what they exchange',
  );
  if (about === 'map')
    filtered.option('--service <name>', 'only data of this service, and what it exchanges');
  return filtered
    .option('--data-type <name>', 'only this data type, such as email')
    .option('--category <key>', 'only this data category and those below it, such as user.contact')
    .addOption(
      new Option('--external <answer>', 'only what leaves, or what stays').choices(['true', 'false']),
    )
    .option('--as-of <time>', 'the map as it was then, such as 2026-03-01, or 7d for a week ago', moment);
}

export function mapFilterOf(options: MapFilterOptions) {
  return {
    team: options.team,
    service: options.service,
    data_type: options.dataType,
    category: options.category,
    external: options.external,
    as_of: options.asOf,
  };
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 7 * 86_400_000],
]);

/** A moment as the server takes it: a date, a time, or `7d` for as long ago. */
export function moment(text: string): string {
  const [, number, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  const milliseconds = UNITS.get(unit ?? '');
  if (number !== undefined && milliseconds !== undefined) {
    return new Date(Date.now() - Number(number) * milliseconds).toISOString();
  }
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError(
    'It must be a time such as 2026-03-01 or 2026-03-01T08:00:00Z, or 7d for a week ago.',
  );
}
