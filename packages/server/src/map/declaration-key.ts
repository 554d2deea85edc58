import { sha256Hex } from '../foundation/index.ts';
import { DETAILS, type Declaration } from './declaration.ts';

const known = new WeakMap<Declaration, string>();

/** The same 64 characters for the same declaration, and for no other. */
export function declarationKey(declaration: Declaration): string {
  const before = known.get(declaration);
  if (before !== undefined) return before;
  const key = sha256Hex(JSON.stringify(parts(declaration)));
  known.set(declaration, key);
  return key;
}

function parts(declaration: Declaration): readonly (string | null)[] {
  const { kind, team } = declaration;
  switch (declaration.kind) {
    case 'transmit': {
      const { service, toService, dataType } = declaration;
      return [kind, team, service, toService, dataType, ...details(declaration)];
    }
    case 'store':
      return [kind, team, declaration.service, declaration.dataType, ...details(declaration)];
    case 'client':
      return [kind, team, declaration.service ?? null, declaration.address, declaration.protocol];
    default:
      return declaration satisfies never;
  }
}

/** Nothing without details, so that what was stored before there were any keeps its key. */
function details(declaration: Exclude<Declaration, { kind: 'client' }>): readonly (string | null)[] {
  if (DETAILS.every((name) => declaration[name] === undefined)) return [];
  return DETAILS.map((name) => declaration[name] ?? null);
}
