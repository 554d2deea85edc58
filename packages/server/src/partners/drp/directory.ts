import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { api } from '@habeas/contract';
import { createHttpClient, HabeasError, type Outbound } from '../../foundation/index.ts';
import { callbackTarget } from '../callbacks/callback-address.ts';
import { checkVerifyKey } from './verify-key.ts';

/** An agent as the directory has it. */
export interface DirectoryEntry extends api.DirectoryAgent {
  /** Of its home page: where its callbacks may go until a person says otherwise. */
  readonly homeOrigins: readonly string[];
}

export interface Directory {
  readonly agents: readonly DirectoryEntry[];
  /** How many entries cannot be used. */
  readonly refused: number;
  /** The agents of these entries, as far as they can be told: nothing is known of them now. */
  readonly unclear: readonly string[];
}

const MAX_BYTES = 5 * 1_024 * 1_024;
const TIMEOUT_MILLISECONDS = 30_000;

/**
 * Reads the agents of a service directory (Data Rights Protocol 1.0 §3.05.1): a list, or an object with the list under `agents`.
 * Entries that cannot be used, and all of an agent that has more than one, are left out and counted. Throws CONFIG_INVALID for what is no directory, or an empty one: an
 * outage of the directory must not lock out everybody.
 */
export function parseDirectory(text: string): Directory {
  const list = listOf(text);
  const byId = Map.groupBy(list, idOf);
  const agents = list.flatMap((entry) => {
    const agent = byId.get(idOf(entry))?.length === 1 ? readAgent(entry) : undefined;
    return agent === undefined ? [] : [agent];
  });
  if (agents.length === 0) throw notADirectory('it holds no agent that can be used');
  const usable = new Set(agents.map(({ id }) => id));
  const unclear = [...byId.keys()].filter((id): id is string => id !== undefined && !usable.has(id));
  return { agents, refused: list.length - agents.length, unclear };
}

/** Fetches a directory: a file relative to the folder, or an address that the policy allows. */
export async function fetchDirectory(
  where: string,
  options: { readonly folder: string; readonly outbound: Outbound; readonly signal: AbortSignal },
): Promise<Directory> {
  if (!/^https?:\/\//.test(where)) {
    try {
      return parseDirectory(readFileSync(resolve(options.folder, where), 'utf8'));
    } catch (cause) {
      if (cause instanceof HabeasError) throw cause;
      throw notADirectory('the file cannot be read', cause);
    }
  }
  const { address, isTls, path } = callbackTarget(where);
  const client = createHttpClient({
    outbound: options.outbound,
    address,
    tls: isTls ? {} : undefined,
    connections: 1,
  });
  try {
    const { status, body } = await client.call({
      method: 'GET',
      path,
      headers: { accept: 'application/json', 'user-agent': 'habeas' },
      timeout: TIMEOUT_MILLISECONDS,
      maxBytes: MAX_BYTES,
      signal: options.signal,
    });
    if (status !== 200) throw notADirectory(`its server answered with HTTP ${status}`);
    return parseDirectory(body.toString('utf8'));
  } finally {
    client.close();
  }
}

function listOf(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notADirectory('it is not JSON', cause);
  }
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null && 'agents' in value && Array.isArray(value.agents))
    return value.agents;
  throw notADirectory('it is not a list of agents');
}

function idOf(entry: unknown): string | undefined {
  const id: unknown = typeof entry === 'object' && entry !== null && 'id' in entry ? entry.id : undefined;
  return typeof id === 'string' ? id : undefined;
}

function readAgent(entry: unknown): DirectoryEntry | undefined {
  const parsed = api.directoryAgentSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  try {
    checkVerifyKey(parsed.data.verify_key);
  } catch {
    return undefined;
  }
  return { ...parsed.data, homeOrigins: originOf(entry) };
}

/** The directory has no field for callbacks; the agent's own home page is at an origin that it vouches for. */
function originOf(entry: unknown): readonly string[] {
  const url =
    typeof entry === 'object' && entry !== null && 'web_url' in entry
      ? URL.parse(String(entry.web_url))
      : null;
  return url?.protocol === 'https:' ? [url.origin] : [];
}

function notADirectory(what: string, cause?: unknown): HabeasError {
  return new HabeasError(
    'CONFIG_INVALID',
    `The service directory (partners.drp.directory) cannot be used: ${what}.`,
    { cause },
  );
}
