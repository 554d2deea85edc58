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
import {
  categoriesOf,
  declaredRetention,
  field,
  optional,
  organizationFields,
  partyText,
  type RecordField,
  receivers,
  transferField,
  unique,
  unknownField,
} from './record-fields.ts';
import type { Mandate, RecordFile } from './record-file.ts';

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
