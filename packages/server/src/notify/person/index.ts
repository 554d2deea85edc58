export { LANGUAGES, type Language, languageOf, preferredLanguage } from './languages.ts';
export { loadTemplates, type Templates } from './load-templates.ts';
export type { MailKind } from './mail-kind.ts';
export {
  type NewPersonMail,
  type PersonMail,
  personMailsOf,
} from './person-mails.ts';
export { recordBounce } from './record-bounce.ts';
export {
  type ComposedMail,
  createPeopleTeller,
  type PeopleTeller,
  type PeopleToTell,
  type SkippedMail,
} from './tell-people.ts';
