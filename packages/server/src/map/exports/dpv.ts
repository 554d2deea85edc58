import type { api } from '@habeas/contract';
import { dpvTermOf } from './dpv-terms.ts';
import { BASIS_WORDS, CONDITION_WORDS } from './legal-words.ts';
import { type Activity, activitiesOf, type Holding } from './record-activities.ts';
import type { RecordFile, Transfer } from './record-file.ts';

const CONTEXT = {
  dpv: 'https://w3id.org/dpv#',
  pd: 'https://w3id.org/dpv/pd#',
  'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
  dct: 'http://purl.org/dc/terms/',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
};

/**
 * The map in the Data Privacy Vocabulary of W3C's community group (https://w3id.org/dpv, version 2.3) as JSON-LD 1.1: one
 * `dpv:Process` for each activity of the record and for what no activity covers, and the systems that hold its data.
 */
export function* dpvOf(document: api.MapExport, record: RecordFile | undefined): Iterable<string> {
  const { stamp, map } = document;
  const base = `urn:habeas:${encodeURIComponent(stamp.organization)}`;
  const controller = { '@id': `${base}:controller` };
  const activities = activitiesOf(map, record);
  const head = [
    {
      '@id': `${base}:export:${stamp.sha256}`,
      '@type': 'dpv:RecordsOfActivities',
      'dct:created': { '@value': stamp.generated_at, '@type': 'xsd:dateTime' },
      'dct:temporal': stamp.as_of,
      'dct:creator': stamp.product,
      'dct:identifier': stamp.sha256,
      'dct:extent': JSON.stringify(stamp.counts),
      'dct:description': JSON.stringify({ filter: stamp.filter }),
    },
    {
      ...controller,
      '@type': 'dpv:DataController',
      'dpv:hasName': record?.organization.name ?? stamp.organization,
      ...(record?.organization.contact === undefined
        ? {}
        : { 'dpv:hasContact': record.organization.contact }),
    },
  ];
  yield `{"@context":${JSON.stringify(CONTEXT)},"@graph":[\n`;
  yield head.map((node) => JSON.stringify(node)).join(',\n');
  for (const [index, activity] of activities.entries()) {
    const process = {
      '@id': `${base}:process:${index + 1}`,
      '@type': 'dpv:Process',
      'dct:title': activity.name,
      'dpv:hasDataController': controller,
      ...termsOf(activity, record),
      'dpv:hasPersonalData': distinct(activity.holdings, ({ data_type, category }) => [
        data_type,
        category,
      ]).map((holding) => personalData(holding)),
      'dpv:isImplementedUsingTechnology': distinct(activity.holdings, ({ service }) => [service]).map(
        ({ service, team }) => ({
          '@type': 'dpv:Technology',
          'dct:title': service,
          'dct:publisher': team,
        }),
      ),
    };
    yield `,\n${JSON.stringify(process)}`;
  }
  yield '\n]}\n';
}

function termsOf(activity: Activity, record: RecordFile | undefined) {
  const { legal_basis: basis, condition, holdings } = activity;
  const bases = [
    ...(basis === undefined ? [] : [{ '@id': `eu-gdpr:${BASIS_WORDS[basis].dpv}` }]),
    ...(condition === undefined ? [] : [{ '@id': `eu-gdpr:${CONDITION_WORDS[condition].dpv}` }]),
  ];
  const flows = distinct(
    holdings.filter(({ to }) => to !== null),
    ({ to }) => [to],
  );
  const receivers = flows.map(({ to, external }) => ({
    '@type': external ? 'dpv:ThirdParty' : 'dpv:Recipient',
    'dct:title': to,
  }));
  const named = (activity.recipients ?? []).map((title) => ({
    '@type': 'dpv:Recipient',
    'dct:title': title,
  }));
  const measures = [...(record?.measures ?? []), ...(activity.measures ?? [])];
  return {
    ...nodes('dpv:hasPurpose', 'dpv:Purpose', activity.purposes),
    ...(bases.length === 0 ? {} : { 'dpv:hasLegalBasis': bases }),
    ...nodes('dpv:hasDataSubject', 'dpv:DataSubject', activity.subjects ?? subjectsOf(holdings)),
    ...(receivers.length + named.length === 0 ? {} : { 'dpv:hasRecipient': [...named, ...receivers] }),
    ...nodes(
      'dpv:hasStorageCondition',
      'dpv:StorageDuration',
      activity.retention === undefined ? [] : [activity.retention],
    ),
    ...nodes('dpv:hasTechnicalOrganisationalMeasure', 'dpv:TechnicalOrganisationalMeasure', measures),
    ...(activity.transfers === undefined || activity.transfers.length === 0
      ? {}
      : { 'dpv:hasProcess': activity.transfers.map(transferNode) }),
  };
}

function transferNode({ to, country, safeguard, document }: Transfer) {
  return {
    '@type': 'dpv:Process',
    'dpv:hasProcessing': { '@id': 'dpv:Transfer' },
    'dpv:hasRecipient': { '@type': 'dpv:Recipient', 'dct:title': to },
    'dpv:hasThirdCountry': { '@type': 'dpv:ThirdCountry', 'dct:title': country },
    ...nodes(
      'dpv:hasTechnicalOrganisationalMeasure',
      'dpv:SafeguardForDataTransfer',
      safeguard === undefined ? [] : [safeguard],
    ),
    ...(document === undefined ? {} : { 'dct:source': document }),
  };
}

function personalData({ data_type: title, category, sensitivity }: Holding) {
  const types = [dpvTermOf(category)];
  if (sensitivity === 'article 9') types.push('dpv:SpecialCategoryPersonalData');
  else if (sensitivity !== undefined) types.push('dpv:SensitivePersonalData');
  return {
    '@type': types,
    'dct:title': title,
    ...(category === null ? {} : { 'dct:identifier': category }),
  };
}

function nodes(property: string, type: string, titles: readonly string[] | undefined) {
  if (titles === undefined || titles.length === 0) return {};
  return { [property]: titles.map((title) => ({ '@type': type, 'dct:title': title })) };
}

function subjectsOf(holdings: readonly Holding[]): readonly string[] {
  return [...new Set(holdings.flatMap(({ subject }) => subject ?? []))].sort();
}

/** The first of each, by the values that make it one. */
function distinct(
  holdings: readonly Holding[],
  keyOf: (holding: Holding) => readonly unknown[],
): readonly Holding[] {
  const found = new Map<string, Holding>();
  for (const holding of holdings) {
    const key = JSON.stringify(keyOf(holding));
    if (!found.has(key)) found.set(key, holding);
  }
  return [...found.values()];
}
