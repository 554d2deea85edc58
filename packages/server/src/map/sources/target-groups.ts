import { glob, readFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { HabeasError, type Outbound } from '../../foundation/index.ts';
import { explainFailure, openPage, readText, sourceFailed } from './open-page.ts';

/** A metrics page that a list of targets names. */
export interface DiscoveredTarget {
  readonly url: string;
  /** Labels that the list gives to its samples, where they have none of their own. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface TargetList {
  readonly targets: readonly DiscoveredTarget[];
  /** What could not be read; then the last list that could be read still counts. */
  readonly problems: readonly string[];
}

/** Reads the list anew. Throws SCRAPE_FAILED when there never was one. */
export type ReadTargets = (signal: AbortSignal) => Promise<TargetList>;

/** Most targets of one source. */
const MAX_TARGETS = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** The format of Prometheus' `file_sd` and `http_sd`. */
const groupsSchema = z
  .array(
    z.object({
      targets: z.array(z.string()).nullish(),
      labels: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish(),
    }),
  )
  .nullable();

/** Files in the format of `file_sd_configs`. They are read again each time, so a change counts at the next poll. */
export function fileTargets(options: {
  readonly files: readonly string[];
  readonly folder: string;
  readonly source: string;
}): ReadTargets {
  const known = new Map<string, readonly DiscoveredTarget[]>();
  return async () => {
    const paths: string[] = [];
    for (const pattern of options.files) {
      for await (const path of glob(isAbsolute(pattern) ? pattern : resolve(options.folder, pattern)))
        paths.push(path);
    }
    const problems: string[] = [];
    for (const path of new Set([...paths, ...known.keys()])) {
      try {
        // YAML reads JSON too.
        known.set(path, readGroups(parse(await readFile(path, 'utf8')), options.source));
      } catch {
        // A file that was deleted has no targets any more; one that is half written has them still.
        if (paths.includes(path)) problems.push(`A file of ${options.source} cannot be read: ${path}.`);
        else known.delete(path);
      }
    }
    if (known.size === 0) throw sourceFailed(problems[0] ?? `There is no file for ${options.source}.`);
    return { targets: unique([...known.values()].flat(), options.source), problems };
  };
}

/** An address that answers in the format of `http_sd_configs`: the whole list each time. */
export function httpTargets(options: {
  readonly outbound: Outbound;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: string;
  readonly timeout: number;
}): ReadTargets {
  const { outbound, url, headers, source, timeout } = options;
  let known: readonly DiscoveredTarget[] | undefined;

  async function ask(signal: AbortSignal): Promise<readonly DiscoveredTarget[]> {
    const accept = { accept: 'application/json', ...headers };
    const page = await openPage({ outbound, url, headers: accept, signal });
    try {
      if (page.status !== 200)
        throw sourceFailed(`${source} answered with status ${page.status} instead of 200.`);
      const text = await readText(page, MAX_BYTES);
      if (text === undefined) throw sourceFailed(`The list of ${source} is larger than ${MAX_BYTES} bytes.`);
      return unique(readGroups(parseJson(text, source), source), source);
    } finally {
      page.body.destroy();
    }
  }

  return async (signal) => {
    const timer = AbortSignal.timeout(timeout);
    try {
      known = await ask(AbortSignal.any([signal, timer]));
      return { targets: known, problems: [] };
    } catch (error) {
      const failure = explainFailure(error, { source, timeout, timedOut: timer.aborted });
      if (known === undefined) throw failure;
      return { targets: known, problems: [`${failure.message} Its last list still counts.`] };
    }
  };
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw sourceFailed(`${source} answered with something that is not JSON.`);
  }
}

function readGroups(value: unknown, source: string): readonly DiscoveredTarget[] {
  const parsed = groupsSchema.safeParse(value);
  if (!parsed.success) {
    throw sourceFailed(`${source} is not a list of targets as Prometheus' file_sd and http_sd have it.`);
  }
  return (parsed.data ?? []).flatMap(({ targets, labels }) => {
    const all = Object.fromEntries(Object.entries(labels ?? {}).map(([name, text]) => [name, String(text)]));
    return (targets ?? []).map((target) => targetOf(target, all, source));
  });
}

function targetOf(
  target: string,
  labels: Readonly<Record<string, string>>,
  source: string,
): DiscoveredTarget {
  const scheme = labels.__scheme__ ?? 'http';
  const path = labels.__metrics_path__ ?? '/metrics';
  const own = Object.entries(labels).filter(([name]) => !name.startsWith('__'));
  const parameters = Object.entries(labels).flatMap(([name, value]): [string, string][] =>
    name.startsWith('__param_') ? [[name.slice('__param_'.length), value]] : [],
  );
  const query = parameters.length === 0 ? '' : `?${new URLSearchParams(parameters)}`;
  const text = `${scheme}://${target}${path.startsWith('/') ? path : `/${path}`}${query}`;
  if (!/^https?$/.test(scheme) || /[/@?#\s]/.test(target) || !URL.canParse(text)) {
    throw sourceFailed(`${source} names a target that is not host:port.`);
  }
  return { url: new URL(text).href, labels: Object.fromEntries(own) };
}

function unique(targets: readonly DiscoveredTarget[], source: string): readonly DiscoveredTarget[] {
  const byUrl = new Map(targets.map((target) => [target.url, target]));
  if (byUrl.size > MAX_TARGETS) {
    throw new HabeasError('SCRAPE_FAILED', `${source} names more than ${MAX_TARGETS} targets.`, {
      retryable: true,
    });
  }
  return [...byUrl.values()];
}
