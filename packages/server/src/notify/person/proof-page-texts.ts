import { resolve } from 'node:path';
import type { Config } from '../../foundation/index.ts';
import type { Language } from './languages.ts';
import { loadTemplates, type ProofPageWords, type Templates } from './load-templates.ts';

/** What people read who prove that they want what somebody asked in their name, from the same files as all mails to people. */
export interface ProofPageTexts {
  readonly words: Readonly<Record<Language, ProofPageWords>>;
  readonly rights: Templates['rights'];
  /** How the organization calls itself. */
  readonly organization: string;
  /** Of people whose language nobody knows. */
  readonly language: Language;
}

/** Throws CONFIG_INVALID for a template that cannot be used. */
export function proofPageTextsFromConfig(
  { people, folder }: Pick<Config, 'people' | 'folder'>,
  organizationId: string,
): ProofPageTexts {
  const { proofPage, rights } = loadTemplates(
    people.templates === undefined ? undefined : resolve(folder, people.templates),
  );
  return {
    words: proofPage,
    rights,
    organization: people.name ?? organizationId,
    language: people.language,
  };
}
