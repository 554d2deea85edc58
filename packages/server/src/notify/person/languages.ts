import { acceptedLanguages } from '../../foundation/index.ts';

/** Languages that mails to people are in; ISO 639-1. */
export const LANGUAGES = ['en', 'de', 'fr', 'es', 'nl', 'it', 'pl'] as const;

export type Language = (typeof LANGUAGES)[number];

/** The language of a tag such as `de-AT` (RFC 5646); undefined where Habeas has none for it. */
export function languageOf(tag: string): Language | undefined {
  const primary = tag.trim().toLowerCase().split('-')[0];
  return LANGUAGES.find((language) => language === primary);
}

/**
 * The language that somebody likes best of those that there are, by their `Accept-Language` (RFC 9110 §12.5.4; lookup as in
 * RFC 4647 §3.4); undefined where none fits.
 */
export function preferredLanguage(acceptLanguage: string | undefined): Language | undefined {
  for (const tag of acceptedLanguages(acceptLanguage)) {
    const language = languageOf(tag);
    if (language !== undefined) return language;
  }
  return undefined;
}
