import type { api } from '@habeas/contract';
import { acceptedLanguages, sha256Hex } from '../../foundation/index.ts';
import { allowedByDefault, type Jurisdiction, type PurposeFile } from '../purposes/index.ts';
import { BANNER_TEXTS } from './banner-texts.ts';

export interface NoticeAsked {
  /** BCP 47. */
  readonly language?: string | undefined;
  /** `Accept-Language` (RFC 9110 §12.5.4). */
  readonly acceptLanguage?: string | undefined;
  /** ISO 3166. */
  readonly region?: string | undefined;
  /** Whether the browser sends Global Privacy Control. */
  readonly gpc: boolean;
}

/** What people are shown, in one language. */
export function noticeOf(
  file: PurposeFile,
  asked: NoticeAsked,
): Omit<api.ConsentNotice, 'organization' | 'gpc'> {
  const languages = languagesOf(file);
  const wanted = asked.language === undefined ? acceptedLanguages(asked.acceptLanguage) : [asked.language];
  const language = pick(languages, wanted) ?? languages[0] ?? 'en';
  const inLanguage = <Text>(texts: Readonly<Record<string, Text>>): Text | undefined =>
    texts[pick(Object.keys(texts), [language, ...languages]) ?? ''];
  return {
    version: noticeVersion(file),
    language,
    languages: [...languages],
    texts: textsIn(file, language),
    jurisdiction: jurisdictionOf(file.jurisdictions, asked.region),
    purposes: file.purposes.map((purpose) => ({
      code: purpose.code,
      name: inLanguage(purpose.name) ?? purpose.code,
      description: inLanguage(purpose.description) ?? null,
      legal_basis: purpose.legal_basis,
      gpc: purpose.gpc,
      allowed_by_default: allowedByDefault(purpose),
      ask_again_days: purpose.ask_again ?? null,
      validity_days: purpose.validity ?? null,
    })),
  };
}

/** All that people may be shown, in all languages. */
export function wholeNotice(file: PurposeFile): Omit<api.ConsentNoticeTexts['items'][number], 'since'> {
  const languages = languagesOf(file);
  return {
    languages: [...languages],
    texts: Object.fromEntries(languages.map((language) => [language, textsIn(file, language)])),
    purposes: file.purposes.map(({ code, name, description, legal_basis, data_categories, gpc }) => ({
      code,
      name,
      description,
      legal_basis,
      data_categories,
      gpc,
    })),
  };
}

/** The version that the file gives, or else one that changes with whatever people read. */
export function noticeVersion({ notice, purposes }: Pick<PurposeFile, 'notice' | 'purposes'>): string {
  if (notice.version !== undefined) return notice.version;
  const texts = languagesOf({ notice, purposes }).map((language) => textsIn({ notice }, language));
  return sha256Hex(JSON.stringify([texts, purposes])).slice(0, 12);
}

/** The organization's own, and for those that it does not have the built-in ones of the language, where there are any. */
function textsIn({ notice }: Pick<PurposeFile, 'notice'>, language: string): Record<string, string> {
  return { ...BANNER_TEXTS[language.split('-')[0] ?? ''], ...notice.texts[language] };
}

/** Those of the texts come first: a banner without words is worse than a purpose whose name is in another language. */
function languagesOf({ notice, purposes }: Pick<PurposeFile, 'notice' | 'purposes'>): readonly string[] {
  const ofTexts = Object.keys(notice.texts);
  return ofTexts.length > 0 ? ofTexts : [...new Set(purposes.flatMap(({ name }) => Object.keys(name)))];
}

/**
 * The first that is there. One that is wanted is looked for with fewer and fewer parts, `zh-Hant` and then `zh` for `zh-Hant-TW` (RFC 4647
 * §3.4), and then with other parts: `pt-PT` for `pt-BR` is better than another language. Many pages write `de_AT`.
 */
function pick(there: readonly string[], wanted: readonly string[]): string | undefined {
  const begins = (tag: string) => (one: string) => `${one.toLowerCase()}-`.startsWith(`${tag}-`);
  for (const tag of wanted) {
    const parts = tag.toLowerCase().split(/[-_]/);
    const shorter = parts.map((_, left) => parts.slice(0, parts.length - left).join('-'));
    const found =
      first(shorter, (one) => there.find((each) => each.toLowerCase() === one)) ??
      first(shorter, (one) => there.find(begins(one)));
    if (found !== undefined) return found;
  }
  return undefined;
}

function first(tags: readonly string[], find: (tag: string) => string | undefined): string | undefined {
  return tags.map(find).find((found) => found !== undefined);
}

/** A part of a country goes before the country. Where nobody knows where the person is, they are asked. */
function jurisdictionOf(
  jurisdictions: readonly Jurisdiction[],
  region = '',
): api.ConsentNotice['jurisdiction'] {
  const asked = /^[a-z]{2}(-[a-z0-9]{1,3})?$/i.test(region) ? region.toUpperCase() : null;
  const found =
    asked === null
      ? undefined
      : (jurisdictions.find(({ regions }) => regions.includes(asked)) ??
        jurisdictions.find(({ regions }) => regions.includes(asked.slice(0, 2))));
  return { code: found?.code ?? 'other', region: asked, show: found?.show ?? 'banner' };
}
