import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { padEnd, printable, wrap } from './text.ts';

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
  if (services.length === 0) return [];
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

export function flowLines(flows: readonly JoinedFlow[], width: number, paint: Paint): readonly string[] {
  if (flows.length === 0) return [];
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
