import type { Declaration } from './declaration.ts';
import type { ChangeTemplate, EdgeTemplate } from './edge-template.ts';

/** A declaration with what it is compared by again and again, made once. */
export interface KnownDeclaration {
  /** {@link declarationKey}. */
  readonly key: string;
  readonly declaration: Declaration;
  /** Where data is or moves: the same for all that is said about one store or flow. */
  readonly identity: string;
  /** The service and the team that says it. */
  readonly owner: string;
  /** Sorts declarations by kind, services, data type, team and details. */
  readonly order: string;
  /** What was made of it once, to be found without looking it up. */
  readonly kept: { edge?: EdgeTemplate; change?: ChangeTemplate };
}

export function knownDeclaration(key: string, declaration: Declaration): KnownDeclaration {
  const { kind, team, service = '' } = declaration;
  const owner = JSON.stringify([service, team]);
  if (declaration.kind === 'client') {
    const order = JSON.stringify([kind, service, team, declaration.address, declaration.protocol]);
    return { key, declaration, identity: order, owner, order, kept: {} };
  }
  const { dataType, purpose = '', subject = '', retention = '', region = '' } = declaration;
  const where = [
    kind,
    service,
    ...(declaration.kind === 'transmit' ? [declaration.toService] : []),
    dataType,
  ];
  const order = JSON.stringify([...where, team, purpose, subject, retention, region]);
  return { key, declaration, identity: JSON.stringify(where), owner, order, kept: {} };
}
