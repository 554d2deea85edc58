import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { count, padEnd, printable, wrap } from './text.ts';
import { shortTime } from './time.ts';

/** The data map: services, flows between them, gaps. */
export function mapLines(map: api.MapView, width: number, paint: Paint): readonly string[] {
  const flows = joinFlows(map.flows);
  const head = [
    count(map.services.length, 'service'),
    count(flows.length, 'flow'),
    count(map.gaps.length, 'gap'),
  ].join(', ');
  return [
    `${paint.strong(head)} ${paint.quiet(`at ${shortTime(map.at)} UTC`)}`,
    ...(map.services.length === 0 ? [] : ['', ...serviceLines(map.services, width, paint)]),
    ...(flows.length === 0 ? [] : ['', ...flowLines(flows, width, paint)]),
    ...(map.gaps.length === 0 ? [] : ['', ...gapLines(map.gaps, width, paint)]),
  ];
}

/** Who holds a data type and who moves it. */
export function holdersLines(holders: api.HoldersView, width: number, paint: Paint): readonly string[] {
  const type = printable(holders.data_type);
  if (holders.holders.length === 0 && holders.movers.length === 0) {
    return [`Nobody declares that it holds or moves ${paint.strong(type)}.`];
  }
  const held = holders.holders.map(({ service, team }) => `${service} (${team ?? 'no team'})`).join(', ');
  const moved = holders.movers.map(({ from, to }) => `${from} → ${to}`).join(', ');
  return [
    ...paragraph(padEnd(`${type} is held by`, 20), held === '' ? 'nobody' : held, width),
    ...paragraph(padEnd(`${type} is sent`, 20), moved === '' ? 'nowhere' : moved, width),
  ];
}

export function serviceLines(
  services: readonly api.ServiceView[],
  width: number,
  paint: Paint,
): readonly string[] {
  return table<api.ServiceView>({
    columns: [
      { title: 'SERVICE', value: (service) => service.name, flexible: true, paint: paint.strong },
      { title: 'TEAM', value: (service) => service.team ?? '–', flexible: true },
      { title: 'HOLDS', value: (service) => service.stores.join(', '), flexible: true },
      {
        title: 'ANSWERED BY',
        value: (service) => service.answered_by,
        paint: (text, service) => (service.answered_by === 'nobody' ? paint.warn(text) : text),
      },
    ],
    rows: services,
    width,
    paint,
  });
}

/** One line for a pair of services, with all that flows between them. */
interface JoinedFlow {
  readonly from: string;
  readonly to: string;
  readonly dataTypes: readonly string[];
}

export function joinFlows(flows: readonly api.FlowView[]): readonly JoinedFlow[] {
  const joined = new Map<string, { from: string; to: string; dataTypes: Set<string> }>();
  for (const { from, to, data_type: dataType } of flows) {
    const key = JSON.stringify([from, to]);
    const pair = joined.get(key) ?? { from, to, dataTypes: new Set() };
    pair.dataTypes.add(dataType);
    joined.set(key, pair);
  }
  return [...joined.values()].map((pair) => ({ ...pair, dataTypes: [...pair.dataTypes].sort() }));
}

function flowLines(flows: readonly JoinedFlow[], width: number, paint: Paint): readonly string[] {
  return table<JoinedFlow>({
    columns: [
      { title: 'FROM', value: (flow) => flow.from, flexible: true },
      { title: 'TO', value: (flow) => flow.to, flexible: true },
      { title: 'MOVES', value: (flow) => flow.dataTypes.join(', '), flexible: true },
    ],
    rows: flows,
    width,
    paint,
  });
}

/** What is missing, one paragraph each. */
export function gapLines(
  gaps: readonly { readonly message: string }[],
  width: number,
  paint: Paint,
): readonly string[] {
  return gaps.flatMap(({ message }) => paragraph(`${paint.warn('gap')}  `, printable(message), width, 5));
}

/** A text that begins after a label and goes on below itself. */
export function paragraph(
  label: string,
  text: string,
  width: number,
  indent = label.length,
): readonly string[] {
  const [first = '', ...rest] = wrap(text, width - indent);
  return [`${label}${first}`, ...rest.map((line) => ' '.repeat(indent) + line)];
}
