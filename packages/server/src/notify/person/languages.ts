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
  if (acceptLanguage === undefined) return undefined;
  const wanted = acceptLanguage
    .slice(0, 1_000)
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const weight = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
      return { tag, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0 && weight <= 1)
    .sort((a, b) => b.weight - a.weight);
  for (const { tag } of wanted) {
    const language = languageOf(tag);
    if (language !== undefined) return language;
  }
  return undefined;
}
