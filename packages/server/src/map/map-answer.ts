import type { api } from '@habeas/contract';
import { changesView } from './change-views.ts';
import type { Change, MapChanges } from './changes.ts';
import type { FlowSeen, StoreSeen } from './graph.ts';
import { createJsonWriter, type JsonWriter } from './json-writer.ts';
import type { ViewTemplates } from './view-templates.ts';
import { flowView, storeView, type ViewContext } from './views.ts';

/** What a filter leaves of the map of one moment. */
export interface MapPart {
  readonly counts: api.MapView['counts'];
  readonly services: readonly api.ServiceView[];
  readonly flows: readonly FlowSeen[];
  readonly stores: readonly StoreSeen[];
  readonly gaps: readonly api.GapView[];
}

/** The answer to a question about the map, before anybody writes it down. */
export interface MapAnswer {
  readonly asked: Pick<api.MapView, 'at' | 'as_of' | 'filter'>;
  readonly part: MapPart;
  readonly changes: MapChanges | null;
  readonly teams: api.MapTeamsView | null;
  readonly context: ViewContext;
}

export function mapView({ asked, part, changes, teams, context }: MapAnswer): api.MapView {
  return {
    ...asked,
    ...partView(part, context),
    changes: changes === null ? null : changesView(changes, context),
    teams,
  };
}

export function partView({ counts, services, flows, stores, gaps }: MapPart, context: ViewContext) {
  return {
    counts,
    services: [...services],
    flows: flows.map((flow) => flowView(flow, context)),
    stores: stores.map((store) => storeView(store, context)),
    gaps: [...gaps],
  };
}

/** An answer in memory that another one may use later. */
export interface WrittenMap {
  /** JSON in UTF-8. */
  readonly bytes: Buffer;
  /** To be called once nobody reads the bytes any more; if nobody calls it, nothing is lost but time. */
  release(): void;
}

/** About what a flow, a store or a change takes as JSON; an answer that takes more is moved once or twice. */
const BYTES_OF_EDGE = 400;
const BYTES_OF_CHANGE = 800;
const BYTES_OF_REST = 1_000_000;

/** The same, to the byte, as `JSON.stringify` of {@link mapView}, several times faster. Written into the memory if it fits. */
export function mapJson(answer: MapAnswer, templates: ViewTemplates, memory?: Buffer): Buffer {
  const { asked, part, changes, teams, context } = answer;
  const { counts, services, flows, stores, gaps } = part;
  const expected =
    BYTES_OF_REST + (flows.length + stores.length) * BYTES_OF_EDGE + changeCount(changes) * BYTES_OF_CHANGE;
  const fits = memory !== undefined && memory.length >= expected;
  const writer = createJsonWriter(fits ? memory : Buffer.allocUnsafeSlow(expected));
  const edges = (seen: readonly (FlowSeen | StoreSeen)[]) =>
    writeList(writer, seen, (one) => templates.writeEdge(writer, one, context.isExternal));
  writer.text(`${JSON.stringify({ ...asked, counts, services }).slice(0, -1)},"flows":`);
  edges(flows);
  writer.text(',"stores":');
  edges(stores);
  writer.text(`,"gaps":${JSON.stringify(gaps)},"changes":`);
  writeChanges(writer, changes, templates);
  writer.text(`,"teams":${JSON.stringify(teams)}}`);
  return writer.end();
}

/** The same, to the byte, as `JSON.stringify` of what was asked, how many changes there are, and {@link changesView}. */
export function changesJson(
  answer: { readonly asked: MapAnswer['asked']; readonly changes: MapChanges },
  templates: ViewTemplates,
  memory?: Buffer,
): Buffer {
  const { asked, changes } = answer;
  const expected = BYTES_OF_REST + changeCount(changes) * BYTES_OF_CHANGE;
  const fits = memory !== undefined && memory.length >= expected;
  const writer = createJsonWriter(fits ? memory : Buffer.allocUnsafeSlow(expected));
  const { added, removed, changed } = changes;
  const counts = { added: added.length, removed: removed.length, changed: changed.length };
  writer.text(`${JSON.stringify({ ...asked, counts }).slice(0, -1)},"changes":`);
  writeChanges(writer, changes, templates);
  writer.text('}');
  return writer.end();
}

function changeCount(changes: MapChanges | null): number {
  return changes === null ? 0 : changes.added.length + changes.removed.length + changes.changed.length;
}

function writeChanges(writer: JsonWriter, changes: MapChanges | null, templates: ViewTemplates): void {
  if (changes === null) {
    writer.text('null');
    return;
  }
  writer.text(JSON.stringify({ from: changes.from, to: changes.to }).slice(0, -1));
  for (const name of ['added', 'removed', 'changed'] as const) {
    writer.text(`,"${name}":`);
    writeList(writer, changes[name], (change) => writeChange(writer, change, templates));
  }
  writer.text('}');
}

/** A text of a letter is written slower than bytes, and an answer has tens of thousands of them. */
const BEFORE = Buffer.from(',"before":');
const AFTER = Buffer.from(',"after":');
const [OPEN, COMMA, CLOSE, END] = [Buffer.from('['), Buffer.from(','), Buffer.from(']'), Buffer.from('}')];

function writeChange(writer: JsonWriter, change: Change, templates: ViewTemplates): void {
  const sayings = (seen: Change['before']) =>
    writeList(writer, seen, (one) => templates.writeSaying(writer, one));
  templates.writeChangeHead(writer, change);
  writer.copy(BEFORE);
  sayings(change.before);
  writer.copy(AFTER);
  sayings(change.after);
  writer.copy(END);
}

function writeList<Item>(writer: JsonWriter, items: readonly Item[], write: (item: Item) => void): void {
  writer.copy(OPEN);
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) writer.copy(COMMA);
    const item = items[index];
    if (item !== undefined) write(item);
  }
  writer.copy(CLOSE);
}
