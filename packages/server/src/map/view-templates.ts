import { changeAuthors, changeHead } from './change-views.ts';
import type { Change } from './changes.ts';
import type { ChangeTemplate, EdgeTemplate } from './edge-template.ts';
import { type FlowSeen, isFlow, type StoreSeen } from './graph.ts';
import { ISO_TIME_BYTES } from './iso-time.ts';
import type { JsonWriter } from './json-writer.ts';
import { flowHead, sayingView, storeHead, timeView, type ViewContext } from './views.ts';

type EdgeSeen = FlowSeen | StoreSeen;

/**
 * Writes views as JSON. What a declaration says never changes, so that the JSON of its view is made once and kept; between
 * two moments only its times differ, which are written over those that it has.
 */
export interface ViewTemplates {
  /** Like `flowView` or `storeView`. */
  writeEdge(writer: JsonWriter, seen: EdgeSeen, isExternal: ViewContext['isExternal']): void;
  /** Like `sayingView`. */
  writeSaying(writer: JsonWriter, seen: EdgeSeen): void;
  /** Like `changeView`, up to what was said before and after. */
  writeChangeHead(writer: JsonWriter, change: Change): void;
}

/** A view ends with its two times: `…,"first_seen":"…","last_seen":"…"}`. */
const LAST_BEFORE_END = ISO_TIME_BYTES + '"}'.length;
const FIRST_BEFORE_END = LAST_BEFORE_END + '","last_seen":"'.length + ISO_TIME_BYTES;

const BRACE = Buffer.from('{');
const NOTHING_IS_EXTERNAL = () => false;

/** As long as they live, a data type has to keep its category. */
export function createViewTemplates({ categoryOf }: Pick<ViewContext, 'categoryOf'>): ViewTemplates {
  function templateOf(seen: EdgeSeen, isExternal?: ViewContext['isExternal']): EdgeTemplate {
    const { source, evidence } = seen;
    const { kept } = seen.known;
    const found = kept.edge;
    // A declaration is nearly always known by one source, and what is external changes seldom.
    const fits =
      found !== undefined &&
      found.categoryOf === categoryOf &&
      found.source === source &&
      found.evidence === evidence &&
      (isExternal === undefined || found.external === isExternalEdge(seen, isExternal));
    if (fits) return found;
    const context = { categoryOf, isExternal: isExternal ?? NOTHING_IS_EXTERNAL };
    const head = isFlow(seen) ? flowHead(seen, context) : storeHead(seen, context);
    const start = `${JSON.stringify(head).slice(0, -1)},`;
    const made = {
      categoryOf,
      source,
      evidence,
      external: isExternalEdge(seen, context.isExternal),
      bytes: Buffer.from(start + JSON.stringify(sayingView(seen)).slice(1)),
      saying: Buffer.byteLength(start),
    };
    kept.edge = made;
    return made;
  }

  /** Kept if one declaration makes the difference, as nearly always. */
  function changeTemplateOf(change: Change): ChangeTemplate {
    const { first, by } = change;
    const { source } = first;
    const { kept } = first.known;
    const found = by.length === 1 ? kept.change : undefined;
    if (found?.categoryOf === categoryOf && found.source === source) return found;
    const head = { ...changeHead(change, { categoryOf }), at: timeView(change.at) };
    const rest = `","by":${JSON.stringify(changeAuthors(change))}`;
    const made = {
      categoryOf,
      source,
      bytes: Buffer.from(JSON.stringify(head).slice(0, -'"}'.length) + rest),
      atBeforeEnd: ISO_TIME_BYTES + Buffer.byteLength(rest),
    };
    if (by.length === 1) kept.change = made;
    return made;
  }

  function writeTimes(writer: JsonWriter, { firstSeen, lastSeen }: EdgeSeen): void {
    writer.patchTime(FIRST_BEFORE_END, firstSeen);
    writer.patchTime(LAST_BEFORE_END, lastSeen);
  }

  return {
    writeEdge(writer, seen, isExternal) {
      writer.copy(templateOf(seen, isExternal).bytes);
      writeTimes(writer, seen);
    },
    writeSaying(writer, seen) {
      const { bytes, saying } = templateOf(seen);
      writer.copy(BRACE);
      writer.copy(bytes, saying);
      writeTimes(writer, seen);
    },
    writeChangeHead(writer, change) {
      const { bytes, atBeforeEnd } = changeTemplateOf(change);
      writer.copy(bytes);
      writer.patchTime(atBeforeEnd, change.at);
    },
  };
}

/** Of stores nobody asks. */
function isExternalEdge(seen: EdgeSeen, isExternal: ViewContext['isExternal']): boolean {
  return isFlow(seen) && (isExternal(seen.declaration.service) || isExternal(seen.declaration.toService));
}
