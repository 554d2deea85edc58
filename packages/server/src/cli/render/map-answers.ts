import type { api } from '@habeas/contract';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { count, printable } from './text.ts';
import { momentText, shortTime } from './time.ts';

/** Where data comes from or goes to: one table for each data type. */
export function reachLines(answer: api.ReachView, width: number, paint: Paint): readonly string[] {
  const { service, direction, counts, reached } = answer;
  const name = paint.strong(printable(service));
  if (reached.length === 0) {
    const nothing = direction === 'downstream' ? 'sends nothing' : 'gets nothing';
    return [`${name} ${nothing} that the filter leaves ${paint.quiet(momentText(answer))}`];
  }
  const what = `${count(counts.services, 'service')} of ${count(counts.teams, 'team')}, ${count(counts.data_types, 'data type')}`;
  const head = direction === 'downstream' ? `Data of ${name} goes to` : `Data of ${name} comes from`;
  const byType = Map.groupBy(reached, ({ data_type: type }) => type);
  return [
    `${head} ${what} ${paint.quiet(momentText(answer))}`,
    ...[...byType].flatMap(([type, places]) => [
      '',
      `${paint.strong(printable(type))} ${paint.quiet(places[0]?.category ?? 'no category')}`,
      ...table({
        columns: [
          { title: 'HOPS', value: ({ hops }) => String(hops), align: 'right' },
          { title: 'SERVICE', value: (place) => place.service, flexible: true, paint: paint.strong },
          { title: 'TEAM', value: teamText, flexible: true },
          {
            title: direction === 'downstream' ? 'BY WAY OF' : 'THROUGH',
            value: ({ via }) => via,
            flexible: true,
          },
          { title: '', value: ({ external }) => (external ? 'external' : ''), paint: paint.warn },
        ],
        rows: places,
        width,
        paint,
        indent: 2,
      }),
    ]),
  ];
}

/** `front ─ip→ lake ─ip→ crm`, and below what each hop stands on. */
export function pathsLines(answer: api.PathsView, width: number, paint: Paint): readonly string[] {
  const { from, to, max_hops: maxHops, counts, paths, truncated, limit } = answer;
  const ends = `${paint.strong(printable(from))} to ${paint.strong(printable(to))}`;
  if (paths.length === 0) {
    return [
      `No data type goes from ${ends} in ${count(maxHops, 'hop')} or fewer ${paint.quiet(momentText(answer))}`,
    ];
  }
  const more = truncated
    ? [`There are more than these ${count(limit, 'path')}: ask for one --data-type, or raise --limit.`]
    : [];
  return [
    `${count(counts.paths, 'path')} from ${ends} ${paint.quiet(momentText(answer))}`,
    ...paths.flatMap((path) => [
      '',
      ...paragraph(
        '',
        printable(`${path.services.join(' → ')}: ${path.data_types.join(', ')}`),
        width,
        0,
      ).map(paint.strong),
      ...hopLines(path, width, paint),
    ]),
    ...(more.length === 0 ? [] : ['', ...more.map(paint.warn)]),
  ];
}

function hopLines({ hops }: api.PathsView['paths'][number], width: number, paint: Paint): readonly string[] {
  return table({
    columns: [
      { title: 'HOP', value: ({ flow }) => `${flow.from} → ${flow.to}`, flexible: true },
      { title: 'DATA', value: ({ flow }) => flow.data_type },
      { title: 'EVIDENCE', value: ({ saying }) => saying.evidence },
      {
        title: 'SEEN',
        value: ({ saying }) =>
          `${shortTime(saying.first_seen).slice(0, 10)} to ${shortTime(saying.last_seen).slice(0, 10)}`,
      },
      { title: 'SOURCE', value: ({ saying }) => saying.source, flexible: true, paint: paint.quiet },
    ],
    rows: hops.flatMap((hop) =>
      hop.flows.flatMap((flow) => flow.evidence.map((saying) => ({ flow, saying }))),
    ),
    width,
    paint,
    indent: 2,
  });
}

/** What is exposed, whom it reaches, and whom to call. */
export function impactLines(answer: api.ImpactView, width: number, paint: Paint): readonly string[] {
  const { service, counts, data, upstream, downstream, call } = answer;
  const places = (title: string, list: api.ImpactView['upstream']) =>
    list.length === 0
      ? []
      : [
          '',
          paint.strong(title),
          ...table({
            columns: [
              { title: 'HOPS', value: ({ hops }) => String(hops), align: 'right' },
              { title: 'SERVICE', value: (place) => place.service, flexible: true },
              { title: 'TEAM', value: teamText, flexible: true },
              { title: 'DATA', value: (place) => place.data_types.join(', '), flexible: true },
              { title: '', value: ({ external }) => (external ? 'external' : ''), paint: paint.warn },
            ],
            rows: list,
            width,
            paint,
            indent: 2,
          }),
        ];
  return [
    `${paint.strong(printable(service))} of ${printable(teamText(answer))} concerns ${count(counts.services, 'service')}, ${count(counts.teams, 'team')} and ${count(counts.categories, 'data category', 'data categories')} ${paint.quiet(momentText(answer))}`,
    ...(data.length === 0
      ? ['', 'No personal data is there.']
      : [
          '',
          paint.strong('What is there, and exposed if it is breached'),
          ...table({
            columns: [
              { title: 'DATA', value: (entry) => entry.data_type, flexible: true },
              { title: 'CATEGORY', value: (entry) => entry.category ?? '–', flexible: true },
              { title: 'STORED', value: ({ stored }) => yes(stored) },
              { title: 'RECEIVED', value: ({ received }) => yes(received) },
              { title: 'SENT', value: ({ sent }) => yes(sent) },
            ],
            rows: data,
            width,
            paint,
            indent: 2,
          }),
        ]),
    ...places('Who gets data that was here', downstream),
    ...places('Whose data comes here', upstream),
    '',
    paint.strong('Whom to call'),
    ...table({
      columns: [
        { title: 'TEAM', value: ({ team }) => team ?? 'no team', flexible: true, paint: paint.strong },
        { title: 'BECAUSE', value: ({ because }) => because.join(', ') },
        { title: 'SERVICES', value: ({ services }) => services.join(', '), flexible: true },
        { title: 'CLIENTS', value: ({ clients }) => clients.join(', '), flexible: true },
      ],
      rows: call,
      width,
      paint,
      indent: 2,
    }),
  ];
}

/** How far the data of each service comes and goes. */
export function impactListLines(answer: api.ImpactListView, width: number, paint: Paint): readonly string[] {
  return [
    `${paint.strong(count(answer.counts.services, 'service'))} ${paint.quiet(momentText(answer))}`,
    ...(answer.items.length === 0
      ? []
      : [
          '',
          ...table({
            columns: [
              { title: 'SERVICE', value: (item) => item.service, flexible: true, paint: paint.strong },
              { title: 'TEAM', value: teamText, flexible: true },
              { title: 'DATA TYPES', value: (item) => String(item.data_types), align: 'right' },
              { title: 'UPSTREAM', value: ({ upstream }) => String(upstream), align: 'right' },
              { title: 'DOWNSTREAM', value: ({ downstream }) => String(downstream), align: 'right' },
            ],
            rows: answer.items,
            width,
            paint,
          }),
        ]),
  ];
}

/** What was added (+), removed (-) and changed (~), with who says so and when. */
export function changeLines(changes: api.MapChangesView, width: number, paint: Paint): readonly string[] {
  const { from, to, added, removed, changed } = changes;
  const head = `${paint.strong(`${added.length} added, ${removed.length} removed, ${changed.length} changed`)} ${paint.quiet(`from ${shortTime(from)} to ${shortTime(to)} UTC`)}`;
  const lines = (sign: string, tone: (text: string) => string, list: readonly api.ChangeView[]) =>
    list.flatMap((change) => {
      const what = change.to_service === null ? `stores` : `→ ${change.to_service}`;
      const text = `${change.service} ${what} ${change.data_type}${wordsOf(change)}  ${shortTime(change.at)}  by ${change.by.map(({ team, source }) => `${team} (${source})`).join(', ')}`;
      return paragraph(`${tone(sign)}  `, printable(text), width, 3);
    });
  return [
    head,
    ...lines('+', paint.good, added),
    ...lines('-', paint.bad, removed),
    ...lines('~', paint.warn, changed),
  ];
}

function wordsOf({ before, after }: api.ChangeView): string {
  if (before.length === 0 || after.length === 0) return '';
  const parts = (['team', 'purpose', 'subject', 'retention', 'region'] as const).flatMap((name) => {
    const say = (sayings: readonly api.SayingView[]) =>
      [...new Set(sayings.map((saying) => saying[name] ?? '–'))].sort().join(', ');
    const [old, now] = [say(before), say(after)];
    return old === now ? [] : `${name}: ${old} → ${now}`;
  });
  return parts.length === 0 ? '' : `  ${parts.join('; ')}`;
}

/** One line for each team, and one for each pair of teams. */
export function teamLines(teams: api.MapTeamsView, width: number, paint: Paint): readonly string[] {
  return [
    ...table({
      columns: [
        { title: 'TEAM', value: ({ team }) => team ?? 'no team', flexible: true, paint: paint.strong },
        { title: 'SERVICES', value: ({ services }) => services.join(', '), flexible: true },
        { title: 'HOLDS', value: ({ stores }) => stores.join(', '), flexible: true },
      ],
      rows: teams.items,
      width,
      paint,
    }),
    ...(teams.flows.length === 0
      ? []
      : [
          '',
          ...table({
            columns: [
              { title: 'FROM', value: (flow) => flow.from_team ?? 'no team', flexible: true },
              { title: 'TO', value: (flow) => flow.to_team ?? 'no team', flexible: true },
              { title: 'MOVES', value: (flow) => flow.data_types.join(', '), flexible: true },
              { title: 'FLOWS', value: ({ flows }) => String(flows), align: 'right' },
            ],
            rows: teams.flows,
            width,
            paint,
          }),
        ]),
  ];
}

function teamText({ teams }: { readonly teams: readonly string[] }): string {
  return teams.length === 0 ? 'no team' : teams.join(', ');
}

function yes(value: boolean): string {
  return value ? 'yes' : '';
}
