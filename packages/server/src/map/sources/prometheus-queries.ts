import { DETAILS } from '../declaration.ts';
import { FAMILIES, type Family } from '../parse-exposition.ts';

export interface QueryOptions {
  /** Names of metrics begin with it, or have none of it. */
  readonly prefix: string;
  /** Inside the braces: `cluster="prod"`. */
  readonly matchers: string;
  /** How far back a sample counts; milliseconds. */
  readonly window: number;
}

const OURS = ['team', 'service', 'to_service', 'data_type', 'address', 'protocol', ...DETAILS];

/** Besides our own labels: as Prometheus renames them, and by which target a series came. */
const GROUPED = ['__name__', ...OURS.flatMap((name) => [name, `exported_${name}`]), 'job', 'instance'];

/** What is declared now, without the labels that do not matter: replicas of one target are one series. */
export function declarationQueries(
  options: QueryOptions,
): readonly { readonly family: Family; readonly query: string }[] {
  const prefix = options.prefix === '' ? '' : `(?:${options.prefix})?`;
  return FAMILIES.map((family) => {
    const samples = `last_over_time(${selector(`__name__=~"${prefix}${family}(?:_info)?"`, options)}[${milliseconds(options)}])`;
    return { family, query: `group by (${GROUPED.join(', ')}) (${samples} > 0)` };
  });
}

/** 1 for each target that was asked successfully when it was asked last; 0 if not. */
export function upQuery(options: QueryOptions): string {
  return `min by (job, instance) (last_over_time(${selector('__name__="up"', options)}[${milliseconds(options)}]))`;
}

/** How many samples of each target were left out by its relabelling. */
export function droppedQuery(options: QueryOptions): string {
  const last = (name: string) =>
    `sum by (job, instance) (last_over_time(${selector(`__name__="${name}"`, options)}[${milliseconds(options)}]))`;
  return `${last('scrape_samples_scraped')} - ${last('scrape_samples_post_metric_relabeling')}`;
}

function selector(own: string, { matchers }: QueryOptions): string {
  return `{${matchers === '' ? own : `${own},${matchers}`}}`;
}

function milliseconds({ window }: QueryOptions): string {
  return `${Math.round(window)}ms`;
}
