import { resolve } from 'node:path';
import type { Config } from '../../foundation/index.ts';
import type { MailSender } from '../send-mail.ts';
import type { Language } from './languages.ts';
import { loadTemplates, type PackagePageWords } from './load-templates.ts';
import { fillTemplate } from './template.ts';

/** The code that opens a package, to be sent at once. */
export interface PackageCode {
  readonly to: string;
  /** Of the mail; another one each time, so that none is taken for a repetition. */
  readonly id: string;
  readonly language: Language;
  readonly code: string;
  readonly minutes: number;
  readonly requestId: string;
}

/** What people read who fetch their packages, from the same files as all mails to people. */
export interface PackageTexts {
  readonly words: Readonly<Record<Language, PackagePageWords>>;
  /** Of people whose language nobody knows. */
  readonly language: Language;
  /** Undefined without a mail server. Throws when the mail server does not take it. */
  readonly sendCode: ((code: PackageCode) => Promise<void>) | undefined;
  /** The same for somebody who wants to see what they agreed to. */
  readonly sendChoicesCode: ((code: Omit<PackageCode, 'requestId'>) => Promise<void>) | undefined;
}

/** A person waits for the code: a mail server that takes longer is one that does not answer. */
const SEND_MILLISECONDS = 20_000;

/** Throws CONFIG_INVALID for a template that cannot be used. */
export function packageTextsFromConfig(
  config: Pick<Config, 'people' | 'folder'>,
  options: { readonly organizationId: string; readonly sender: MailSender | undefined },
): PackageTexts {
  const { people } = config;
  const { sender, organizationId } = options;
  const { templates: folder } = people;
  const templates = loadTemplates(folder === undefined ? undefined : resolve(config.folder, folder));
  const organization = people.name ?? organizationId;
  const sending = (kind: 'package-code' | 'choices-code') =>
    sender &&
    (async ({
      to,
      id,
      language,
      code,
      minutes,
      requestId,
    }: Omit<PackageCode, 'requestId'> & Partial<PackageCode>) => {
      const filled = fillTemplate({
        template: templates.mails[language][kind],
        layout: templates.layout,
        language,
        values: { organization, request: requestId, code, minutes: String(minutes) },
      });
      await sender.send({ ...filled, to, language, id }, AbortSignal.timeout(SEND_MILLISECONDS));
    });
  return {
    words: templates.packagePage,
    language: people.language,
    sendCode: sending('package-code'),
    sendChoicesCode: sending('choices-code'),
  };
}
