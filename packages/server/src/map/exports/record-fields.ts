import type { Holding } from './record-activities.ts';
import type { Party, RecordFile, Transfer } from './record-file.ts';

/** One answer of the record: what the law asks, and what is known of it. */
export interface RecordField {
  readonly label: string;
  /** Which rule asks for it. */
  readonly rule: string;
  /** None: it does not apply, or it is missing. */
  readonly values: readonly string[];
  /** What is missing and where to write it; undefined if nothing is. */
  readonly missing: string | undefined;
}

/** Who keeps the record. */
export function organizationFields(
  record: RecordFile | undefined,
  role: string,
  rule: string,
): readonly RecordField[] {
  const organization = record?.organization ?? {};
  const where = 'under `organization` in record.yaml';
  return [
    field({
      label: `Name of the ${role}`,
      rule,
      values: optional(organization.name),
      missing: `write \`name\` ${where}`,
    }),
    field({
      label: 'Contact',
      rule,
      values: optional(organization.contact),
      missing: `write \`contact\` ${where}`,
    }),
    field({ label: 'Representative', rule, values: optional(organization.representative).map(partyText) }),
    field({
      label: 'Data protection officer',
      rule,
      values: optional(organization.data_protection_officer).map(partyText),
      missing: `write \`data_protection_officer\` ${where}, if there is one (Article 37)`,
    }),
  ];
}

/** Transfers of the file; without any, what the map knows of receivers outside says that they are missing. */
export function transferField(options: {
  readonly transfers: readonly Transfer[] | undefined;
  /** Receivers outside the organization. */
  readonly outside: readonly string[];
  readonly rule: string;
  readonly ask: (what: string) => string;
}): RecordField {
  const { transfers, outside, rule, ask } = options;
  const label = 'Transfers to third countries and safeguards';
  if (transfers === undefined) {
    const receivers = outside.length === 0 ? '' : ` (data goes to ${outside.join(', ')})`;
    return {
      label,
      rule,
      values: [],
      missing: ask(`write the \`transfers\`${receivers}, or \`transfers: []\` if there are none,`),
    };
  }
  const bare = transfers.filter(({ safeguard }) => safeguard === undefined);
  return {
    label,
    rule,
    values: transfers.length === 0 ? ['none'] : transfers.map(transferText),
    missing:
      bare.length === 0
        ? undefined
        : ask(`write the \`safeguard\` of the transfers to ${bare.map(({ to }) => to).join(', ')}`),
  };
}

/** What the file names and the map does not have. */
export function unknownField(services: readonly string[]): RecordField {
  return {
    label: 'Services that the map does not have',
    rule: '',
    values: services,
    missing: services.length === 0 ? undefined : 'correct `services` in record.yaml, or let them declare',
  };
}

/** A field that is missing if it has no value and something says what to do then. */
export function field(options: {
  readonly label: string;
  readonly rule: string;
  readonly values: readonly string[] | undefined;
  readonly missing?: string | undefined;
}): RecordField {
  const { label, rule, values = [] } = options;
  return { label, rule, values, missing: values.length === 0 ? options.missing : undefined };
}

export function categoriesOf(holdings: readonly Holding[]): readonly string[] {
  return unique(holdings.flatMap(({ category }) => category ?? []));
}

/** Who gets the data, as the map knows it. */
export function receivers(holdings: readonly Holding[]): readonly string[] {
  const flows = holdings.filter(({ to }) => to !== null);
  return unique(
    flows.map(({ to, external }) => `${to} (${external ? 'outside the organization' : 'service'})`),
  );
}

/** How long it is kept, as teams declare it. */
export function declaredRetention(holdings: readonly Holding[]): readonly string[] {
  return unique(
    holdings.flatMap(({ retention, service, data_type: type }) =>
      retention === null ? [] : [`${type} in ${service}: ${retention} (declared)`],
    ),
  );
}

function transferText({ to, country, safeguard, document }: Transfer): string {
  return [`${to}, ${country}`, ...optional(safeguard), ...optional(document)].join(': ');
}

export function partyText({ name, contact }: Party): string {
  return contact === undefined ? name : `${name}, ${contact}`;
}

export function optional<Value>(value: Value | undefined): readonly Value[] {
  return value === undefined ? [] : [value];
}

/** Each once, sorted. */
export function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
