import type { Proof } from '../event.ts';

/**
 * What has to be passed before somebody is believed to be who they say: codes to every address that they named, questions of the
 * organization's back end, a look by an officer.
 */
export const CHECKS = ['codes', 'questions', 'officer'] as const;

export type Check = (typeof CHECKS)[number];

export interface Contact {
  /** `agent`: of somebody who asks for another person. */
  readonly role: 'subject' | 'agent';
  readonly proved: boolean;
}

/** How far somebody got with proving who they are. */
export interface Progress {
  readonly contacts: readonly Contact[];
  /** They signed in with the organization, which stands for codes to their addresses. */
  readonly signedIn: boolean;
  /** The back end said that the answers are right. */
  readonly confirmed: boolean;
}

/** The checks that are not passed yet, in the order in which they come. An officer's look comes last, when the rest is done. */
export function missingChecks(required: readonly Check[], progress: Progress): readonly Check[] {
  return CHECKS.filter((check) => required.includes(check) && !isPassed(check, progress));
}

/** The strongest of what was passed, for the audit log. */
export function proofOf(required: readonly Check[], progress: Progress): Proof {
  if (required.includes('questions') && progress.confirmed) return 'questions';
  return progress.signedIn ? 'sign-in' : 'codes';
}

function isPassed(check: Check, progress: Progress): boolean {
  switch (check) {
    case 'codes': {
      const of = (role: Contact['role']) => progress.contacts.filter((contact) => contact.role === role);
      const all = (contacts: readonly Contact[]) => contacts.every(({ proved }) => proved);
      // An agent proves their own address whatever the person proves; who signed in need not prove addresses one by one.
      return all(of('agent')) && (progress.signedIn || (of('subject').length > 0 && all(of('subject'))));
    }
    case 'questions':
      return progress.confirmed;
    case 'officer':
      return false;
    default:
      return check satisfies never;
  }
}
