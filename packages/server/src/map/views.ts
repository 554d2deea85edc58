import type { api } from '@habeas/contract';
import type { FlowSeen, StoreSeen } from './graph.ts';
import type { Edge } from './type-graph.ts';

/** What an answer knows besides the declarations. */
export interface ViewContext {
  /** The category of a data type, or undefined if the configuration gives none. */
  readonly categoryOf: (dataType: string) => string | undefined;
  readonly isExternal: (service: string) => boolean;
}

export function flowView(seen: FlowSeen, context: ViewContext): api.FlowView {
  return { ...flowHead(seen, context), ...sayingView(seen) };
}

export function storeView(seen: StoreSeen, context: Pick<ViewContext, 'categoryOf'>): api.StoreView {
  return { ...storeHead(seen, context), ...sayingView(seen) };
}

/** What a flow has besides what is said about it. */
export function flowHead(
  { declaration: { service: from, toService: to, dataType } }: FlowSeen,
  context: ViewContext,
) {
  const external = context.isExternal(from) || context.isExternal(to);
  return { from, to, ...typeView(dataType, context), external };
}

/** What a store has besides what is said about it. */
export function storeHead(
  { declaration: { service, dataType } }: StoreSeen,
  context: Pick<ViewContext, 'categoryOf'>,
) {
  return { service, ...typeView(dataType, context) };
}

export function edgeView({ from, to, dataType, sayings }: Edge, context: ViewContext): api.EdgeView {
  const external = context.isExternal(from) || context.isExternal(to);
  return {
    from,
    to,
    ...typeView(dataType, context),
    external,
    first_seen: timeView(earliest(sayings)),
    last_seen: timeView(latest(sayings)),
    evidence: sayings.map(sayingView),
  };
}

/** `first_seen` and `last_seen` come last: they alone differ between moments (view-templates.ts). */
export function sayingView(seen: FlowSeen | StoreSeen): api.SayingView {
  const { team, purpose, subject, retention, region } = seen.declaration;
  return {
    team,
    source: seen.source,
    evidence: seen.evidence,
    purpose: purpose ?? null,
    subject: subject ?? null,
    retention: retention ?? null,
    region: region ?? null,
    first_seen: timeView(seen.firstSeen),
    last_seen: timeView(seen.lastSeen),
  };
}

export function typeView(dataType: string, { categoryOf }: Pick<ViewContext, 'categoryOf'>) {
  return { data_type: dataType, category: categoryOf(dataType) ?? null };
}

/** A time in milliseconds. */
export function timeView(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** In milliseconds. */
export function earliest(sayings: readonly { readonly firstSeen: number }[]): number {
  return sayings.reduce((least, { firstSeen }) => Math.min(least, firstSeen), Number.POSITIVE_INFINITY);
}

/** In milliseconds. */
export function latest(sayings: readonly { readonly lastSeen: number }[]): number {
  return sayings.reduce((most, { lastSeen }) => Math.max(most, lastSeen), Number.NEGATIVE_INFINITY);
}

/** Each once, sorted. */
export function distinct(words: Iterable<string>): string[] {
  return [...new Set(words)].sort();
}
