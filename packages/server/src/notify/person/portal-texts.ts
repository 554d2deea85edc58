import { resolve } from 'node:path';
import type { Config } from '../../foundation/index.ts';
import type { Language } from './languages.ts';
import { loadTemplates, type PortalWords, type ProofPageWords, type Templates } from './load-templates.ts';

/** What people read who ask by themselves, from the same files as all mails to people. */
export interface PortalTexts {
  readonly words: Readonly<Record<Language, PortalWords>>;
  readonly proof: Readonly<Record<Language, ProofPageWords>>;
  readonly rights: Templates['rights'];
  /** How the organization calls itself. */
  readonly organization: string;
  /** Of people whose language nobody knows. */
  readonly language: Language;
}

/** Throws CONFIG_INVALID for a template that cannot be used. */
export function portalTextsFromConfig(
  { people, folder }: Pick<Config, 'people' | 'folder'>,
  organizationId: string,
): PortalTexts {
  const { portal, proofPage, rights } = loadTemplates(
    people.templates === undefined ? undefined : resolve(folder, people.templates),
  );
  return {
    words: portal,
    proof: proofPage,
    rights,
    organization: people.name ?? organizationId,
    language: people.language,
  };
}
