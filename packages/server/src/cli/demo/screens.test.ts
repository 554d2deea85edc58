import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { EMPTY_MAP, UNDECIDED } from '../../../test/empty-map.ts';
import { paintFor } from '../render/paint.ts';
import { widthOf } from '../render/text.ts';
import { chapterTitle, endScreen, mapScreen, nextScreen, planScreen, tracesScreen } from './screens.ts';

const screen = { width: 80, paint: paintFor(false) };
const AT = '2026-03-01T12:00:00.000Z';

const planned = (key: string, dependsOn: readonly string[] = []): api.PlanView['tasks'][number] => {
  const [kind, system] = key.split(':');
  return {
    key,
    kind: kind as api.TaskKind,
    system: system ?? null,
    team: system === 'analytics' ? 'data' : 'shop',
    depends_on: [...dependsOn],
    explanation: 'because',
  };
};

describe('the screens of the demonstration', () => {
  it('put a plan into one line for each step, in the order in which they run', () => {
    const plan: api.PlanView = {
      right: 'erasure',
      dry_run: false,
      policy_version: '1',
      hash: 'ab',
      kept: [],
      gaps: [],
      tasks: [
        { ...planned('confirm:shop', ['verify:shop', 'gate:erased']), kind: 'verify' },
        { ...planned('gate:erased', ['erase:shop', 'erase:mailer', 'ticket:analytics']), kind: 'gate' },
        planned('verify:shop', ['erase:shop']),
        planned('erase:shop', ['gate']),
        planned('erase:mailer', ['gate']),
        planned('ticket:analytics', ['gate']),
        planned('gate', ['resolve:accounts']),
        planned('resolve:accounts'),
      ],
    };
    expect(planScreen(plan, screen)).toEqual([
      '   The plan: 6 tasks on 4 systems',
      '     ask for identities  accounts',
      '     erase in            shop, mailer',
      '     ticket for          team data',
      '     read again          shop',
      '     read a last time    shop',
    ]);
  });

  it('show what each store held and holds, and say plainly when something is left', () => {
    const story = {
      traces: [
        { store: 'shop', place: 'customers', before: 1, after: 0, kept: 0 },
        { store: 'shop', place: 'order_audit', before: 2, after: 0, kept: 2 },
      ],
    };
    const gone = tracesScreen(story, [], screen).join('\n');
    expect(gone).toContain('shop   order_audit       2    0  2 kept, see below');
    expect(gone).toContain('✓ 0 records are left beside what has to be kept; 3 were there before.');
    const left = { ...story, traces: [{ store: 'shop', place: 'customers', before: 1, after: 1, kept: 0 }] };
    expect(tracesScreen(left, [], screen).join('\n')).toContain('✗ 1 record still point');
  });

  it('end with what did not hold', () => {
    expect(endScreen([{ what: 'a', held: true }], 4.26, screen)).toEqual([
      '',
      '✓ All 1 checks held. 4.3 s from start to receipt.',
    ]);
    expect(
      endScreen(
        [
          { what: 'a', held: true },
          { what: 'b', held: false },
        ],
        4,
        screen,
      ),
    ).toEqual(['', '✗ 1 of 2 checks did not hold. 4.0 s from start to receipt.', '   ✗ b']);
  });

  it('fit 80 columns also with a key, so that it can be copied', () => {
    const key = `habeas_${'a'.repeat(52)}`;
    for (const line of nextScreen(
      { url: 'http://127.0.0.1:65535', key, email: 'a@b.c', mailsUrl: 'http://127.0.0.1:65535' },
      screen,
    )) {
      expect([line, widthOf(line) <= 80]).toEqual([line, true]);
    }
  });

  it('quote an address for a shell', () => {
    const lines = (email: string) =>
      nextScreen({ url: 'http://h:1', key: 'k', email, mailsUrl: 'http://h:2' }, screen).join('\n');
    expect(lines('a.b+c@d.e')).toContain('--email a.b+c@d.e --watch');
    expect(lines(`o'neill@d.e`)).toContain(`--email 'o'\\''neill@d.e' --watch`);
    expect(lines('"a b"@d.e; rm -rf')).toContain(`--email '"a b"@d.e; rm -rf' --watch`);
  });

  it('fit 80 columns whatever services are called', () => {
    const service = (name: string): api.ServiceView => ({
      name,
      team: 'a-team-with-a-long-name',
      external: false,
      stores: ['email', 'name', 'phone_number', 'address', 'payment_card', 'ip'],
      first_seen: AT,
      last_seen: AT,
      answered_by: 'client',
    });
    const services = ['orders', 'a-service-with-a-rather-long-name'].map(service);
    const lines = [
      ...chapterTitle(1, 'Where is personal data?', "read from the services' /metrics", screen),
      ...mapScreen(
        {
          map: {
            ...EMPTY_MAP,
            services,
            gaps: [
              {
                ...UNDECIDED,
                kind: 'source-failing',
                service: null,
                team: null,
                data_type: null,
                message: 'x '.repeat(200),
              },
            ],
          },
          holders: {
            data_type: 'email',
            holders: services.map(({ name, team }) => ({ service: name, team })),
            movers: [{ from: 'orders', to: 'a-service-with-a-rather-long-name' }],
          },
          sourcesRead: 1,
          sourcesFailing: 0,
        },
        screen,
      ),
    ];
    for (const line of lines) expect([line, widthOf(line) <= 80]).toEqual([line, true]);
  });
});
