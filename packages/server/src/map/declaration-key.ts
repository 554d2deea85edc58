import { sha256Hex } from '../foundation/index.ts';
import type { Declaration } from './declaration.ts';

/** The same 64 characters for the same declaration, and for no other. */
export function declarationKey(declaration: Declaration): string {
  return sha256Hex(JSON.stringify(parts(declaration)));
}

function parts(declaration: Declaration): readonly (string | null)[] {
  const { kind, team } = declaration;
  switch (declaration.kind) {
    case 'transmit':
      return [kind, team, declaration.service, declaration.toService, declaration.dataType];
    case 'store':
      return [kind, team, declaration.service, declaration.dataType];
    case 'client':
      return [kind, team, declaration.service ?? null, declaration.address, declaration.protocol];
    default:
      return declaration satisfies never;
  }
}
