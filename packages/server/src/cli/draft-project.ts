import { stringify } from 'yaml';

export interface DraftProjectOptions {
  readonly key: string;
  readonly team: string;
  readonly service: string;
  readonly databaseUrl: string;
}

export interface DraftedProject {
  /** Text of a first `habeas.yaml`. */
  readonly config: string;
  /** The lines of the one connection, for a configuration that exists. */
  readonly connection: string;
  /** An environment variable that the configuration reads, because the address has a password. */
  readonly variable: string | undefined;
  /** Where the dataset goes, relative to the configuration. */
  readonly datasetFile: string;
}

/** A first configuration over one database. An address with a password is not written down. */
export function draftProject(options: DraftProjectOptions): DraftedProject {
  const { key, team, service, databaseUrl } = options;
  const variable = hasPassword(databaseUrl) ? variableName(key) : undefined;
  const datasetFile = `datasets/${key}.yml`;
  const connection = stringify([
    {
      key,
      kind: 'postgres',
      ...(service === key ? {} : { service }),
      team,
      url: variable === undefined ? databaseUrl : `\${${variable}}`,
      datasets: [datasetFile],
    },
  ]).trimEnd();
  const config = [
    '# The configuration of Habeas. `habeas check` looks for mistakes in it; `habeas serve` starts with it.',
    '',
    '# Metrics pages of your services: Habeas reads there who holds and who moves personal data.',
    'map:',
    '  scrape: []',
    '  # - url: http://accounts.internal:9100/metrics',
    '',
    '# What the short names of teams mean, as a node of the taxonomy.',
    'data_types:',
    '  email: user.contact.email',
    '',
    '# Systems that Habeas acts on itself.',
    'connections:',
    ...connection.split('\n').map((line) => `  ${line}`),
    '',
  ].join('\n');
  return { config, connection, variable, datasetFile };
}

/** A key of lower-case letters, digits, - and _, from the name of a database; `main` where nothing of it fits. */
export function keyOf(databaseUrl: string): string {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1)).toLowerCase();
  const key = name
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 63);
  return key === '' ? 'main' : key;
}

function variableName(key: string): string {
  return `${key
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?=\d)/, 'DB_')}_DATABASE_URL`;
}

function hasPassword(databaseUrl: string): boolean {
  const url = new URL(databaseUrl);
  return url.password !== '' || url.searchParams.has('password');
}
