export { LANGUAGES, type Language, languageOf, preferredLanguage } from './languages.ts';
export type { PackagePageWords, PortalWords, ProofPageWords } from './load-templates.ts';
export type { MailKind } from './mail-kind.ts';
export { type PackageCode, type PackageTexts, packageTextsFromConfig } from './package-texts.ts';
export { peopleTellerFromConfig } from './people-teller-from-config.ts';
export {
  type NewPersonMail,
  NO_ADDRESS,
  type PersonMail,
  personMailsOf,
} from './person-mails.ts';
export { type PortalTexts, portalTextsFromConfig } from './portal-texts.ts';
export { type ProofPageTexts, proofPageTextsFromConfig } from './proof-page-texts.ts';
export { recordBounce } from './record-bounce.ts';
export type {
  ComposedMail,
  PeopleTeller,
  PeopleToTell,
  SkippedMail,
} from './tell-people.ts';
export { fill as fillWords } from './template.ts';
