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
  const { service: from, toService: to, dataType, team } = seen.declaration;
  const { purpose = null, subject = null, retention = null, region = null } = seen.declaration;
  // Spelled out: a map has ten thousand of them, and each spread would make another object.
  return {
    from,
    to,
    data_type: dataType,
    category: context.categoryOf(dataType) ?? null,
    external: context.isExternal(from) || context.isExternal(to),
    team,
    source: seen.source,
    evidence: seen.evidence,
    purpose,
    subject,
    retention,
    region,
    first_seen: seen.firstSeen.toISOString(),
    last_seen: seen.lastSeen.toISOString(),
  };
}

export function storeView(seen: StoreSeen, context: ViewContext): api.StoreView {
  const { service, dataType } = seen.declaration;
  return { service, ...typeView(dataType, context), ...sayingView(seen) };
}

export function edgeView({ from, to, dataType, sayings }: Edge, context: ViewContext): api.EdgeView {
  const external = context.isExternal(from) || context.isExternal(to);
  return {
    from,
    to,
    ...typeView(dataType, context),
    external,
    first_seen: earliest(sayings).toISOString(),
    last_seen: latest(sayings).toISOString(),
    evidence: sayings.map(sayingView),
  };
}

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
    first_seen: seen.firstSeen.toISOString(),
    last_seen: seen.lastSeen.toISOString(),
  };
}

export function typeView(dataType: string, { categoryOf }: Pick<ViewContext, 'categoryOf'>) {
  return { data_type: dataType, category: categoryOf(dataType) ?? null };
}

export function earliest(sayings: readonly { readonly firstSeen: Date }[]): Date {
  return new Date(Math.min(...sayings.map(({ firstSeen }) => firstSeen.getTime())));
}

export function latest(sayings: readonly { readonly lastSeen: Date }[]): Date {
  return new Date(Math.max(...sayings.map(({ lastSeen }) => lastSeen.getTime())));
}

/** Each once, sorted. */
export function distinct(words: Iterable<string>): string[] {
  return [...new Set(words)].sort();
}
