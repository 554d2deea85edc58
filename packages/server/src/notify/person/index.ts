export { preferredLanguage } from './languages.ts';
export type { MailKind } from './mail-kind.ts';
export { peopleTellerFromConfig } from './people-teller-from-config.ts';
export {
  type NewPersonMail,
  type PersonMail,
  personMailsOf,
} from './person-mails.ts';
export { recordBounce } from './record-bounce.ts';
export type {
  ComposedMail,
  PeopleTeller,
  PeopleToTell,
  SkippedMail,
} from './tell-people.ts';
