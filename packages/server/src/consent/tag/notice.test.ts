import { describe, expect, it } from 'vitest';
import { parsePurposeFile } from '../purposes/index.ts';
import { BANNER_TEXTS } from './banner-texts.ts';
import { noticeOf, noticeVersion } from './notice.ts';

const fileWith = (notice: string, names = '{ en: Analytics, de: Auswertung, ar: التحليلات }') =>
  parsePurposeFile(
    `purposes: [{ code: analytics, name: ${names}, legal_basis: consent }]\nnotice: ${notice}`,
    'purposes.yaml',
  );
const textsOf = (notice: string, language: string) =>
  noticeOf(fileWith(notice), { language, gpc: false }).texts;

describe('the texts of a notice', () => {
  it('are there in seven languages, the same in each, without a word of the organization', () => {
    expect(Object.keys(BANNER_TEXTS)).toEqual(['en', 'de', 'fr', 'es', 'nl', 'it', 'pl']);
    for (const texts of Object.values(BANNER_TEXTS)) {
      expect(Object.keys(texts)).toEqual(Object.keys(BANNER_TEXTS.en ?? {}));
      expect(new Set(Object.values(texts)).size).toBe(Object.keys(texts).length);
    }
    expect(textsOf('{}', 'de')).toEqual(BANNER_TEXTS.de);
  });

  it("are the organization's own where it has any", () => {
    const own = '{ texts: { en: { title: Hello }, de-AT: { accept: Passt } } }';
    expect(textsOf(own, 'en')).toEqual({ ...BANNER_TEXTS.en, title: 'Hello' });
    expect(textsOf(own, 'de-AT')).toEqual({ ...BANNER_TEXTS.de, accept: 'Passt' });
    expect(textsOf('{ texts: { ar: { title: خصوصيتك } } }', 'ar')).toEqual({ title: 'خصوصيتك' });
  });

  it.each([
    ['pt-BR', ['en', 'pt-PT', 'pt'], 'pt'],
    ['pt-BR', ['en', 'pt-PT'], 'pt-PT'],
    ['zh-Hant-TW', ['zh-Hans', 'zh-Hant'], 'zh-Hant'],
    ['zh-Hant-TW', ['en', 'zh-Hant-HK', 'zh'], 'zh'],
    ['zh-Hant-TW', ['zh-Hans-CN', 'zh-Hant-HK'], 'zh-Hant-HK'],
    ['de_AT', ['en', 'de'], 'de'],
    ['DE-at', ['en', 'de-AT'], 'de-AT'],
    ['d', ['en', 'de'], 'en'],
    ['', ['en', 'de'], 'en'],
  ])('are for %s, of %j, those in %s', (language, there, found) => {
    const texts = there.map((one) => `${one}: { title: Hello }`).join(', ');
    expect(noticeOf(fileWith(`{ texts: { ${texts} } }`), { language, gpc: false }).language).toBe(found);
  });

  it('change the version with every change of what people read', () => {
    const versions = [
      noticeVersion(fileWith('{}')),
      noticeVersion(fileWith('{}', '{ en: Analytics }')),
      noticeVersion(fileWith('{ texts: { en: { title: Hello } } }')),
      noticeVersion(fileWith('{ texts: { en: { title: Hi } } }')),
      noticeVersion(fileWith('{ version: "7" }')),
    ];
    expect(new Set(versions).size).toBe(5);
  });
});
