import type { api } from '@habeas/contract';
import { BASIS_WORDS, CONDITION_WORDS } from './legal-words.ts';
import {
  type Activity,
  activitiesOf,
  covers,
  type Holding,
  holdingsOf,
  unknownServices,
} from './record-activities.ts';
import type { Mandate, Party, RecordFile, Transfer } from './record-file.ts';

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

/** One activity (Article 30(1)), or what is done for one controller (Article 30(2)). */
export interface RecordEntry {
  readonly name: string;
  readonly fields: readonly RecordField[];
  readonly holdings: readonly Holding[];
}

/** The record of processing, ready to be written in any form. */
export interface RecordTable {
  readonly title: string;
  /** Who keeps it. */
  readonly organization: readonly RecordField[];
  readonly entries: readonly RecordEntry[];
}

/**
 * The record of processing after GDPR Article 30(1) (`controller`) or 30(2) (`processor`): what the map knows and what the
 * record's file adds. What the law asks for and nobody has said is marked as missing; what no activity covers is an entry too.
 */
export function recordTable(
  map: api.MapView,
  record: RecordFile | undefined,
  form: api.RecordForm,
): RecordTable {
  return form === 'controller' ? controllerTable(map, record) : processorTable(map, record);
}

function controllerTable(map: api.MapView, record: RecordFile | undefined): RecordTable {
  const rule = 'Art. 30(1)(a)';
  const joint = record?.organization.joint_controllers?.map(partyText) ?? [];
  return {
    title: 'Record of processing activities of a controller (GDPR Article 30(1))',
    organization: [
      ...organizationFields(record, 'controller', rule),
      field({ label: 'Joint controllers', rule, values: joint }),
    ],
    entries: activitiesOf(map, record).map((activity) => ({
      name: activity.name,
      holdings: activity.holdings,
      fields: activityFields(activity, { map, record }),
    })),
  };
}

function activityFields(
  activity: Activity,
  { map, record }: { readonly map: api.MapView; readonly record: RecordFile | undefined },
): readonly RecordField[] {
  const { holdings, origin } = activity;
  const ask = (what: string) =>
    origin === 'recorded'
      ? `${what} of the activity "${activity.name}" in record.yaml`
      : 'add an activity that covers this data to record.yaml';
  const basis = activity.legal_basis === undefined ? [] : [BASIS_WORDS[activity.legal_basis].law];
  const isSpecial = holdings.some(({ sensitivity }) => sensitivity === 'article 9');
  const condition = activity.condition === undefined ? [] : [CONDITION_WORDS[activity.condition].law];
  const categories = categoriesOf(holdings);
  const unclassified = unique(
    holdings.flatMap(({ category, data_type: type }) => (category === null ? [type] : [])),
  );
  const outside = unique(holdings.flatMap(({ to, external }) => (external && to !== null ? [to] : [])));
  const sensitive = unique(
    holdings.flatMap(({ sensitivity, category }) =>
      sensitivity === undefined ? [] : [`${category} (${sensitivity})`],
    ),
  );
  return [
    field({
      label: 'Purposes',
      rule: 'Art. 30(1)(b)',
      values: activity.purposes,
      missing: ask('write the `purposes`'),
    }),
    field({
      label: 'Legal basis',
      rule: 'Art. 6(1)',
      values: basis,
      missing: ask('write the `legal_basis`'),
    }),
    field({
      label: 'Legitimate interest',
      rule: 'Art. 6(1)(f), 13(1)(d)',
      values: optional(activity.interest),
      missing: activity.legal_basis === 'legitimate-interests' ? ask('write the `interest`') : undefined,
    }),
    field({
      label: 'Condition for special categories',
      rule: 'Art. 9(2)',
      values: condition,
      missing: isSpecial ? ask('the data is of special categories: write the `condition`') : undefined,
    }),
    field({
      label: 'Categories of data subjects',
      rule: 'Art. 30(1)(c)',
      values: activity.subjects ?? unique(holdings.flatMap(({ subject }) => subject ?? [])),
      missing: ask('write the `subjects`'),
    }),
    field({
      label: 'Categories of personal data',
      rule: 'Art. 30(1)(c)',
      values: categories,
      missing:
        holdings.length === 0
          ? 'nothing of the map is covered: correct `services` and `data` in record.yaml, or let the services declare'
          : undefined,
    }),
    {
      ...field({ label: 'Data types without a category', rule: 'Art. 30(1)(c)', values: unclassified }),
      missing:
        unclassified.length === 0 ? undefined : 'give them a category under `data_types` in habeas.yaml',
    },
    field({ label: 'Sensitive data', rule: 'Art. 9, 10; WP 248', values: sensitive }),
    field({
      label: 'Recipients',
      rule: 'Art. 30(1)(d)',
      values: [...(activity.recipients ?? []), ...receivers(holdings)],
      missing: ask('the map shows no receiver: write the `recipients`'),
    }),
    transferField({ transfers: activity.transfers, outside, rule: 'Art. 30(1)(e)', ask }),
    field({
      label: 'Time limits for erasure',
      rule: 'Art. 30(1)(f)',
      values: [
        ...(activity.retention === undefined ? [] : [activity.retention]),
        ...declaredRetention(holdings),
      ],
      missing: ask('write the `retention`'),
    }),
    field({
      label: 'Technical and organizational measures',
      rule: 'Art. 30(1)(g), 32',
      values: [...(record?.measures ?? []), ...(activity.measures ?? [])],
      missing: ask('write `measures`, for all activities or this one,'),
    }),
    field({ label: 'Regions', rule: '', values: unique(holdings.flatMap(({ region }) => region ?? [])) }),
    unknownField(unknownServices(activity, map)),
  ];
}

function processorTable(map: api.MapView, record: RecordFile | undefined): RecordTable {
  const holdings = holdingsOf(map);
  return {
    title: 'Record of processing activities of a processor (GDPR Article 30(2))',
    organization: organizationFields(record, 'processor', 'Art. 30(2)(a)'),
    entries: (record?.mandates ?? []).map((mandate) => {
      const own = holdings.filter((holding) => covers(mandate, holding));
      return {
        name: `For ${mandate.controller.name}`,
        holdings: own,
        fields: mandateFields({ mandate, holdings: own, map, record }),
      };
    }),
  };
}

function mandateFields(options: {
  readonly mandate: Mandate;
  readonly holdings: readonly Holding[];
  readonly map: api.MapView;
  readonly record: RecordFile | undefined;
}): readonly RecordField[] {
  const { mandate, holdings, map, record } = options;
  const ask = (what: string) => `${what} of the mandate for "${mandate.controller.name}" in record.yaml`;
  const rule = 'Art. 30(2)(a)';
  const outside = unique(holdings.flatMap(({ to, external }) => (external && to !== null ? [to] : [])));
  return [
    field({ label: 'Controller', rule, values: [partyText(mandate.controller)], missing: undefined }),
    field({
      label: 'Contact of the controller',
      rule,
      values: optional(mandate.controller.contact),
      missing: ask('write `controller.contact`'),
    }),
    field({
      label: 'Representative of the controller',
      rule,
      values: optional(mandate.representative).map(partyText),
    }),
    field({
      label: 'Data protection officer of the controller',
      rule,
      values: optional(mandate.data_protection_officer).map(partyText),
    }),
    field({
      label: 'Categories of processing',
      rule: 'Art. 30(2)(b)',
      values: mandate.processing,
      missing: ask('write the `processing`'),
    }),
    field({ label: 'Categories of personal data', rule: '', values: categoriesOf(holdings) }),
    field({ label: 'Recipients and sub-processors', rule: 'Art. 28(2)', values: receivers(holdings) }),
    transferField({ transfers: mandate.transfers, outside, rule: 'Art. 30(2)(c)', ask }),
    field({
      label: 'Technical and organizational measures',
      rule: 'Art. 30(2)(d), 32',
      values: [...(record?.measures ?? []), ...(mandate.measures ?? [])],
      missing: ask('write `measures`, for all activities or this one,'),
    }),
    unknownField(unknownServices(mandate, map)),
  ];
}

function organizationFields(
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

function transferField(options: {
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

function unknownField(services: readonly string[]): RecordField {
  return {
    label: 'Services that the map does not have',
    rule: '',
    values: services,
    missing: services.length === 0 ? undefined : 'correct `services` in record.yaml, or let them declare',
  };
}

/** A field that is missing if it has no value and something says what to do then. */
function field(options: {
  readonly label: string;
  readonly rule: string;
  readonly values: readonly string[] | undefined;
  readonly missing?: string | undefined;
}): RecordField {
  const { label, rule, values = [] } = options;
  return { label, rule, values, missing: values.length === 0 ? options.missing : undefined };
}

function categoriesOf(holdings: readonly Holding[]): readonly string[] {
  return unique(holdings.flatMap(({ category }) => category ?? []));
}

function receivers(holdings: readonly Holding[]): readonly string[] {
  const flows = holdings.filter(({ to }) => to !== null);
  return unique(
    flows.map(({ to, external }) => `${to} (${external ? 'outside the organization' : 'service'})`),
  );
}

function declaredRetention(holdings: readonly Holding[]): readonly string[] {
  return unique(
    holdings.flatMap(({ retention, service, data_type: type }) =>
      retention === null ? [] : [`${type} in ${service}: ${retention} (declared)`],
    ),
  );
}

function transferText({ to, country, safeguard, document }: Transfer): string {
  return [`${to}, ${country}`, ...optional(safeguard), ...optional(document)].join(': ');
}

function partyText({ name, contact }: Party): string {
  return contact === undefined ? name : `${name}, ${contact}`;
}

function optional<Value>(value: Value | undefined): readonly Value[] {
  return value === undefined ? [] : [value];
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
