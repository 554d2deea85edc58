import type { DeclaredService } from '../../foundation/index.ts';
import { DETAILS } from '../declaration.ts';
import type { DeclaredSample, Family } from '../parse-exposition.ts';
import { type ReadDeclarations, readDeclarations } from '../read-declarations.ts';

/** What people wrote down about services, by the same rules that metrics pages are read by. */
export function readDeclaredServices(services: readonly DeclaredService[]): ReadDeclarations {
  return readDeclarations(services.flatMap(samplesOf));
}

function samplesOf({ team, service, stores, transmits, client }: DeclaredService): readonly DeclaredSample[] {
  const sample = (family: Family, labels: Readonly<Record<string, string | undefined>>): DeclaredSample => ({
    family,
    bare: false,
    labels: new Map(
      Object.entries({ team, service, ...labels }).flatMap(([name, text]) =>
        text === undefined ? [] : [[name, text]],
      ),
    ),
    value: 1,
    line: 0,
  });
  return [
    ...stores.map((store) => sample('store', typeof store === 'string' ? { data_type: store } : pick(store))),
    ...transmits.map((flow) => sample('transmit', { ...pick(flow), to_service: flow.to_service })),
    ...(client === undefined ? [] : [sample('client', { ...client })]),
  ];
}

type Written = Exclude<DeclaredService['stores'][number], string>;

function pick(written: Written): Readonly<Record<string, string | undefined>> {
  const details = DETAILS.map((name) => [name, written[name]] as const);
  return { data_type: written.data_type, ...Object.fromEntries(details) };
}
