/** What a person is told of their request, one mail each. */
export const MAIL_KINDS = [
  'code',
  'received',
  'verified',
  'started',
  'extended',
  'completed',
  'expiring',
  'rejected',
] as const;

export type MailKind = (typeof MAIL_KINDS)[number];

/** All mails that there are templates of: also the codes that are sent at once and are no news of a request. */
export const TEMPLATE_KINDS = [...MAIL_KINDS, 'package-code', 'choices-code'] as const;

export type TemplateKind = (typeof TEMPLATE_KINDS)[number];

/** What a template may name, as `{{due}}`. A paragraph that names something that there is none of is left out. */
export interface MailValues {
  /** How the organization calls itself. */
  readonly organization: string;
  /** Id of the request. */
  readonly request: string;
  /** What was asked for, as words in the language of the mail. */
  readonly right: string;
  /** By when there is an answer: a date in words, like all dates here. */
  readonly due?: string;
  readonly code?: string;
  /** How long the code is valid. */
  readonly minutes?: string;
  /** A page to go on at. Never with personal data. */
  readonly link?: string;
  readonly reason?: string;
  /** Until when the result can be fetched. */
  readonly until?: string;
  /** How many records were kept. */
  readonly kept?: string;
  /** Until when the organization takes an appeal against what it denied, where the law knows one. */
  readonly appeal?: string;
  /** When the last copy ends that could not be removed. */
  readonly residual?: string;
}

/** What each kind of mail may name besides `organization`, `request` and `right`. */
export const MAIL_PLACEHOLDERS: Readonly<Record<TemplateKind, readonly (keyof MailValues)[]>> = {
  code: ['code', 'minutes', 'link'],
  received: ['due'],
  verified: ['due'],
  started: ['due'],
  extended: ['due', 'reason'],
  completed: ['link', 'until', 'kept', 'residual', 'appeal'],
  expiring: ['link', 'until'],
  rejected: ['reason', 'appeal'],
  'package-code': ['code', 'minutes'],
  'choices-code': ['code', 'minutes'],
};

export const COMMON_PLACEHOLDERS: readonly (keyof MailValues)[] = ['organization', 'request', 'right'];
