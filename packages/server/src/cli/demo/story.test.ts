import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { EMPTY_MAP } from '../../../test/empty-map.ts';
import { compareTraces, type DemoStory, judge, type RequestStory } from './story.ts';

const AT = '2026-03-01T12:00:00.000Z';

const request = (changes: Partial<api.RequestView> = {}): api.RequestView => ({
  id: 'req_1',
  right: 'erasure',
  state: 'completed',
  dry_run: false,
  regime: 'gdpr',
  subject_kind: 'customer',
  owner: null,
  legal_holds: [],
  approval: null,
  appeal_of: null,
  identity_types: ['email'],
  targets: [],
  purposes: [],
  lift: false,
  received_at: AT,
  due_at: AT,
  acknowledge_by: null,
  acknowledged_at: null,
  clock_stopped_at: null,
  waits_until: null,
  completed_at: AT,
  residual_until: null,
  reason: null,
  policy_version: '1',
  tasks: { total: 1, open: 0, blocked: 0 },
  matched: true,
  package: null,
  ...changes,
});

const plan: api.PlanView = {
  right: 'erasure',
  dry_run: false,
  policy_version: '1',
  hash: 'ab',
  tasks: [],
  kept: [],
  gaps: [],
};

const requestStory = (changes: Partial<RequestStory> = {}): RequestStory => ({
  request: request(),
  plan,
  tasks: [],
  tickets: [],
  trouble: undefined,
  ...changes,
});

type Receipt = api.ReceiptView['receipt'];
const receipt = (changes: Partial<Receipt> = {}): Receipt => ({
  version: 3,
  salt: 'salt',
  organization: 'acme',
  request_id: 'req_1',
  right: 'erasure',
  dry_run: false,
  state: 'completed',
  received_at: AT,
  completed_at: AT,
  plan_hash: 'ab',
  policy_version: '1',
  systems: [
    { system: 'shop', tasks: [], counts: { customers: 1 }, verified_at: AT, assurance: 'verified' },
    { system: 'analytics', tasks: [], counts: { lines: 1 }, verified_at: null, assurance: 'attested' },
  ],
  retained: [{ system: 'shop', collection: 'order_audit', count: 2, reason: 'tax', until: null }],
  residuals: [],
  audit_leaf_hashes: [],
  ...changes,
});

const traces = [
  { store: 'shop', place: 'customers', before: 1, after: 0, kept: 0 },
  { store: 'shop', place: 'order_audit', before: 2, after: 0, kept: 2 },
];

const story: DemoStory = {
  person: 'ada@example.org',
  choices: { sent: 3, stored: 3 },
  map: {
    map: EMPTY_MAP,
    holders: { data_type: 'email', holders: [{ service: 'shop', team: 'shop' }], movers: [] },
    sourcesRead: 4,
    sourcesFailing: 0,
  },
  access: {
    ...requestStory(),
    package: { file: 'package.zip', bytes: 1, collections: [], files: [], not_included: [] },
  },
  erasure: { dryRun: requestStory(), dryRunChangedNothing: true, real: requestStory(), traces },
  receipt: {
    view: { receipt: receipt(), signature: 's', public_key: {}, log: null },
    file: 'receipt.json',
    trustFile: 'trust.txt',
    verified: true,
  },
};

const broken = (changes: Partial<DemoStory>) =>
  judge({ ...story, ...changes })
    .filter(({ held }) => !held)
    .map(({ what }) => what);
const withReceipt = (changes: Partial<Receipt>, verified = true): Partial<DemoStory> => ({
  receipt: {
    view: { receipt: receipt(changes), signature: 's', public_key: {}, log: null },
    file: 'r',
    trustFile: 't',
    verified,
  },
});

describe('the claims of the demonstration', () => {
  it('all hold when everything went well', () => {
    expect(broken({})).toEqual([]);
    expect(judge(story).length).toBeGreaterThan(10);
  });

  it('each fall when what they claim is not so', () => {
    const { map, access, erasure } = story;
    const stuck = requestStory({ request: request({ state: 'blocked' }), trouble: 'verify:shop is blocked' });
    expect(broken({ map: { ...map, sourcesFailing: 1 } })).toEqual(['every metrics page was read']);
    expect(broken({ map: { ...map, sourcesRead: 0 } })).toEqual(['every metrics page was read']);
    expect(broken({ map: { ...map, holders: { data_type: 'email', holders: [], movers: [] } } })).toEqual([
      'the map says who holds e-mail',
    ]);
    expect(broken({ choices: { sent: 3, stored: 2 } })).toEqual(['what people had agreed to is known']);
    expect(broken({ choices: { sent: 0, stored: 0 } })).toEqual(['what people had agreed to is known']);
    expect(broken({ access: { ...access, ...stuck } })).toContain('the access request is completed');
    expect(broken({ access: { ...access, package: undefined } })).toEqual([
      'the package arrived and every file in it fits its SHA-256',
    ]);
    expect(broken({ access: { ...access, request: request({ matched: false }) } })).toEqual([
      'the person was found',
    ]);
    expect(broken({ erasure: { ...erasure, dryRunChangedNothing: false } })).toEqual([
      'the dry run is completed and changed nothing',
    ]);
    expect(broken({ erasure: { ...erasure, dryRun: stuck } })).toEqual([
      'the dry run is completed and changed nothing',
    ]);
    expect(broken({ erasure: { ...erasure, real: stuck } })).toEqual(['the erasure is completed']);
    expect(broken({ erasure: { ...erasure, real: undefined }, receipt: undefined })).toEqual([
      'the erasure is completed',
      'every system was read again, or its team gave its word',
      'what was kept is named with its reason',
      'the receipt is signed, and the audit log has it',
    ]);
    const left = [{ store: 'shop', place: 'customers', before: 1, after: 1, kept: 0 }];
    expect(broken({ erasure: { ...erasure, traces: left } })).toEqual([
      'no store holds anything that points at the person',
    ]);
    expect(broken({ erasure: { ...erasure, traces: [] } })).toEqual([
      'no store holds anything that points at the person',
    ]);
    const unread = {
      system: 'mailer',
      tasks: [],
      counts: {},
      verified_at: null,
      assurance: 'answered' as const,
    };
    expect(broken(withReceipt({ systems: [unread] }))).toEqual([
      'every system was read again, or its team gave its word',
    ]);
    expect(broken(withReceipt({ systems: [] }))).toEqual([
      'every system was read again, or its team gave its word',
    ]);
    expect(broken(withReceipt({ retained: [] }))).toEqual(['what was kept is named with its reason']);
    expect(broken(withReceipt({}, false))).toEqual(['the receipt is signed, and the audit log has it']);
  });
});

describe('traces before and after', () => {
  const trace = (place: string, pointing: number, kept = 0) => ({ store: 'shop', place, pointing, kept });

  it('stand side by side; places that never held anything are left out', () => {
    expect(
      compareTraces(
        [trace('customers', 1), trace('returns', 0), trace('order_audit', 2)],
        [trace('customers', 0), trace('returns', 0), trace('order_audit', 0, 2)],
      ),
    ).toEqual([
      { store: 'shop', place: 'customers', before: 1, after: 0, kept: 0 },
      { store: 'shop', place: 'order_audit', before: 2, after: 0, kept: 2 },
    ]);
  });

  it('show a place that holds the person only afterwards', () => {
    expect(compareTraces([], [trace('export', 3)])).toEqual([
      { store: 'shop', place: 'export', before: 0, after: 3, kept: 0 },
    ]);
  });
});
