import {
  type Config,
  createOutbound,
  createOutboundPolicy,
  type Database,
  HabeasError,
} from '../../foundation/index.ts';
import type { MapSource } from '../map-source.ts';
import { sourceName } from '../source-name.ts';
import { type Backfill, createBackfill } from './backfill.ts';
import { createCarrierStore } from './carrier-store.ts';
import { createDiscoveredSource } from './discovered-source.ts';
import { createFileSource } from './file-source.ts';
import { trustedAddress } from './open-page.ts';
import { createPageSource } from './page-source.ts';
import { createPrometheusApi } from './prometheus-api.ts';
import { createPrometheusSource } from './prometheus-source.ts';
import { signInHeaders } from './sign-in.ts';
import { createLoadStored } from './stored-declarations.ts';
import { fileTargets, httpTargets } from './target-groups.ts';

export interface CreateSourcesOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly config: Pick<Config, 'map' | 'networks' | 'folder'>;
}

export interface Sources {
  readonly all: readonly MapSource[];
  /** The histories that have to be read. */
  readonly backfills: readonly Backfill[];
}

/** Every source that the configuration names. Throws CONFIG_INVALID if two have one name. */
export function createSources({ db, organizationId, config }: CreateSourcesOptions): Sources {
  const { map } = config;
  const carriers = createCarrierStore(db, organizationId);
  const loadStored = createLoadStored(db, organizationId);
  const outbound = createOutbound({
    policy: createOutboundPolicy({
      allowPrivate: config.networks.allow_private,
      // What a person wrote into the configuration may be called; what an answer names is checked.
      allow: [
        ...map.prometheus.map(({ url }) => url),
        ...map.scrape.map(({ url, http_sd }) => url ?? http_sd),
      ]
        .filter((url) => url !== undefined)
        .map(trustedAddress),
    }),
  });
  const limits = {
    outbound,
    prefix: map.prefix,
    timeout: map.timeout,
    maxBytes: map.max_bytes,
    maxSamples: map.max_samples,
  };
  const backfills: Backfill[] = [];

  const servers = map.prometheus.map((entry) => {
    const name = entry.name ?? sourceName(entry.url);
    const headers = signInHeaders(entry);
    const { url, timeout, max_bytes: maxBytes, window, matchers = '' } = entry;
    const api = createPrometheusApi({ outbound, source: name, url, headers, timeout, maxBytes });
    const removedJobs = new Set(entry.removed_jobs);
    const shared = { name, api, prefix: map.prefix, matchers, removedJobs, loadStored };
    if (entry.backfill > 0) {
      backfills.push(createBackfill({ ...shared, db, organizationId, span: entry.backfill }));
    }
    return createPrometheusSource({ ...shared, window, carriers });
  });

  const pages = map.scrape.map((entry) => {
    const headers = signInHeaders(entry);
    const { url, file_sd: files, http_sd: list, name } = entry;
    if (url !== undefined) {
      return createPageSource({ ...limits, url, headers, ...(name === undefined ? {} : { source: name }) });
    }
    const discovered = { ...limits, carriers, loadStored, headers };
    if (list !== undefined) {
      const source = name ?? `http_sd ${sourceName(list)}`;
      const targets = httpTargets({ outbound, url: list, headers, source, timeout: limits.timeout });
      return createDiscoveredSource({ ...discovered, name: source, targets });
    }
    const source = name ?? `file_sd ${(files ?? []).join(' ')}`;
    const targets = fileTargets({ files: files ?? [], folder: config.folder, source });
    return createDiscoveredSource({ ...discovered, name: source, targets });
  });

  const all = [...servers, ...pages, createFileSource(map.declarations)];
  refuseTwins(all, map);
  return { all, backfills };
}

/** A source is known by its name, so two of one name would end what the other declares. */
function refuseTwins(sources: readonly MapSource[], { scrape }: Config['map']): void {
  const seen = new Set<string>();
  for (const { name } of sources) {
    if (seen.has(name)) {
      throw new HabeasError(
        'CONFIG_INVALID',
        `map: two sources are called ${name}. Give one of the ${scrape.length > 0 ? 'entries of map.scrape or ' : ''}map.prometheus a name of its own.`,
      );
    }
    seen.add(name);
  }
}
