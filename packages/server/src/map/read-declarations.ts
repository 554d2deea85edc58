import { formatClientAddress, parseClientAddress } from './client-address.ts';
import { DETAILS, type Declaration, type DeclarationDetails } from './declaration.ts';
import { declarationKey } from './declaration-key.ts';
import { looksPersonal } from './looks-personal.ts';
import type { Rejection } from './map-source.ts';
import type { DeclaredSample } from './parse-exposition.ts';

export interface ReadDeclarations {
  /** Each once. */
  readonly declarations: readonly Declaration[];
  readonly rejections: readonly Rejection[];
}

/** Longest label value, in UTF-16 units. */
export const MAX_LABEL = 200;

/** Samples → declarations. A value above zero means "present", anything else (0, NaN) "absent". */
export function readDeclarations(samples: readonly DeclaredSample[]): ReadDeclarations {
  const declarations = new Map<string, Declaration>();
  const rejections = new Map<string, Rejection>();
  for (const sample of samples) {
    if (!(sample.value > 0)) continue;
    const read = readDeclaration(sample);
    if ('message' in read) rejections.set(JSON.stringify(read), read);
    else declarations.set(declarationKey(read), read);
  }
  return { declarations: [...declarations.values()], rejections: [...rejections.values()] };
}

/** One sample with a value above zero. */
export function readDeclaration(sample: DeclaredSample): Declaration | Rejection {
  const team = readLabel(sample, 'team');
  const service = readLabel(sample, 'service');
  const known = { team: team.text ?? null, service: service.text ?? null };
  const reject = (label: string, problem: string): Rejection => ({
    ...known,
    message: `Label ${label} of metric ${sample.family}${whose(known)} ${problem}.`,
  });
  if (team.text === undefined) return reject('team', team.problem);
  if (sample.family === 'client') {
    if (service.text === undefined && !service.missing) return reject('service', service.problem);
    const address = parseClientAddress(label(sample, 'address') ?? '');
    if (address === undefined) {
      return reject('address', 'is not host:port (without a scheme, user or path) and was refused');
    }
    const personal = address.ip === undefined ? looksPersonal(address.host) : undefined;
    if (personal === 'a UUID') return reject('address', `looks like ${personal} and was refused`);
    const protocol = label(sample, 'protocol');
    if (protocol !== 'grpc' && protocol !== 'http') return reject('protocol', 'is neither grpc nor http');
    const at = formatClientAddress(address);
    return { kind: 'client', team: team.text, service: service.text, address: at, protocol };
  }
  if (service.text === undefined) return reject('service', service.problem);
  const dataType = readLabel(sample, 'data_type');
  if (dataType.text === undefined) return reject('data_type', dataType.problem);
  const details: { -readonly [Name in keyof DeclarationDetails]: DeclarationDetails[Name] } = {};
  for (const name of DETAILS) {
    const detail = readLabel(sample, name);
    if (detail.text !== undefined) details[name] = detail.text;
    else if (!detail.missing) return reject(name, detail.problem);
  }
  const base = { team: team.text, service: service.text, dataType: dataType.text, ...details };
  if (sample.family === 'store') return { kind: 'store', ...base };
  const toService = readLabel(sample, 'to_service');
  if (toService.text === undefined) return reject('to_service', toService.problem);
  return { kind: 'transmit', ...base, toService: toService.text };
}

function whose(known: { readonly team: string | null; readonly service: string | null }): string {
  const service = known.service === null ? '' : ` of service ${known.service}`;
  const team = known.team === null ? '' : ` of team ${known.team}`;
  return service + team;
}

/**
 * Where Prometheus attaches labels of its own, it renames a clashing one of the service to `exported_…`
 * (`honor_labels: false`, the default): then that one is what the service said. An empty label is an absent one.
 */
function label(sample: DeclaredSample, name: string): string | undefined {
  return sample.labels.get(`exported_${name}`) || sample.labels.get(name) || undefined;
}

type Label =
  | { readonly text: string }
  | { readonly text: undefined; readonly missing: boolean; readonly problem: string };

function readLabel(sample: DeclaredSample, name: string): Label {
  const said = label(sample, name);
  if (said === undefined) return { text: undefined, missing: true, problem: 'is missing' };
  return checked(said);
}

/** The same few words come again and again: a large fleet has a hundred thousand samples of them. */
const checkedBefore = new Map<string, Label>();
const MOST_CHECKED = 10_000;

function checked(said: string): Label {
  const before = checkedBefore.get(said);
  if (before !== undefined) return before;
  const label = check(said);
  if (said.length > MAX_LABEL) return label;
  if (checkedBefore.size >= MOST_CHECKED) checkedBefore.clear();
  checkedBefore.set(said, label);
  return label;
}

function check(said: string): Label {
  const refuse = (problem: string): Label => ({ text: undefined, missing: false, problem });
  // Before anything that takes longer the longer a text is.
  if (said.length > MAX_LABEL) return refuse(`is longer than ${MAX_LABEL} characters and was refused`);
  const text = said.normalize('NFC');
  if (text.length > MAX_LABEL) return refuse(`is longer than ${MAX_LABEL} characters and was refused`);
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return refuse('has invisible characters and was refused');
  if (text.trim() !== text || text === '') return refuse('has blanks around it and was refused');
  if (text === '__proto__') return refuse('is a word that programs stumble over and was refused');
  const personal = looksPersonal(text);
  if (personal !== undefined) {
    return refuse(`looks like ${personal} and was refused; publish which kind of data it is, not the data`);
  }
  return { text };
}
