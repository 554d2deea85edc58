import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from '@habeas/contract';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LANGUAGES, languageOf, preferredLanguage } from './languages.ts';
import { loadTemplates } from './load-templates.ts';
import { COMMON_PLACEHOLDERS, MAIL_PLACEHOLDERS, TEMPLATE_KINDS } from './mail-kind.ts';
import { fillTemplate, placeholdersOf } from './template.ts';

const templates = loadTemplates();
const folder = mkdtempSync(join(tmpdir(), 'habeas-templates-'));
afterAll(() => rmSync(folder, { recursive: true }));

const VALUES = {
  organization: 'ACME',
  request: 'req_1',
  right: 'a copy',
  due: '1 March 2027',
  code: '12345678',
  minutes: '10',
  link: 'https://privacy.acme.example/#token',
  reason: 'too many',
  until: '8 March 2027',
  kept: '3',
  residual: '1 April 2027',
  appeal: '3. Mai 2027',
};

function withFolder(files: Readonly<Record<string, string>>) {
  const own = mkdtempSync(join(folder, 'own-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(own, name, '..'), { recursive: true });
    writeFileSync(join(own, name), text);
  }
  return loadTemplates(own);
}

describe('the templates', () => {
  it('are there in each language, with the same placeholders, and name all that the mail has', () => {
    for (const kind of TEMPLATE_KINDS) {
      // What belongs to no request names none.
      const always = kind === 'choices-code' ? ['organization'] : ['organization', 'request'];
      const english = placeholdersOf(templates.mails.en[kind].text);
      expect([kind, english]).toEqual([
        kind,
        [...new Set([...MAIL_PLACEHOLDERS[kind], ...always, ...english])].sort(),
      ]);
      for (const language of LANGUAGES) {
        const names = placeholdersOf(templates.mails[language][kind].text);
        // One may say again what was asked for where another does not.
        const expected = new Set([...english, 'right']);
        expect([language, kind, names.filter((name) => !expected.has(name))]).toEqual([language, kind, []]);
        const missing = MAIL_PLACEHOLDERS[kind].filter((name) => !names.includes(name));
        expect([language, kind, missing]).toEqual([language, kind, []]);
      }
    }
  });

  it('have as many paragraphs in each language, each in words of its own', () => {
    const paragraphs = (text: string) => text.trim().split('\n\n');
    for (const kind of TEMPLATE_KINDS) {
      const counts = LANGUAGES.map((language) => paragraphs(templates.mails[language][kind].text).length);
      expect([kind, ...new Set(counts)]).toHaveLength(2);
      const subjects = LANGUAGES.map((language) => paragraphs(templates.mails[language][kind].text)[0]);
      expect([kind, new Set(subjects).size]).toEqual([kind, LANGUAGES.length]);
    }
  });

  it('have words for the page of packages in each language, each its own', () => {
    for (const word of Object.keys(templates.packagePage.en) as (keyof typeof templates.packagePage.en)[]) {
      const words = LANGUAGES.map((language) => templates.packagePage[language][word]);
      expect([word, new Set(words).size]).toEqual([word, LANGUAGES.length]);
      if (word === 'sent') for (const one of words) expect(placeholdersOf(one)).toEqual(['minutes']);
    }
    expect(() => withFolder({ 'de/package-page.json': '{"title": "Daten"}' })).toThrow('it has no "ask"');
  });

  it('have words for the pages of people in each language, each its own', () => {
    const words = LANGUAGES.map((language) => templates.portal[language]);
    for (const word of Object.keys(templates.portal.en) as (keyof typeof templates.portal.en)[]) {
      const placeholders = words.map((one) => placeholdersOf(one[word]).join());
      expect([word, ...new Set(placeholders)]).toHaveLength(2);
      // Short ones may be the same by chance, such as the name of a name.
      if (templates.portal.en[word].length > 20)
        expect([word, new Set(words.map((one) => one[word])).size]).toEqual([word, LANGUAGES.length]);
    }
  });

  it('have words for the page of proofs in each language, each its own, that name who asks and for what', () => {
    for (const word of Object.keys(templates.proofPage.en) as (keyof typeof templates.proofPage.en)[]) {
      const words = LANGUAGES.map((language) => templates.proofPage[language][word]);
      expect([word, new Set(words).size]).toEqual([word, LANGUAGES.length]);
      const named = words.map((one) => [...placeholdersOf(one)].sort().join());
      const expected = { ask: 'agent,organization,right', back: 'agent' }[word as string] ?? '';
      expect([word, ...new Set(named)]).toEqual([word, expected]);
    }
  });

  it('have words for each right in each language', () => {
    for (const language of LANGUAGES) {
      const missing = api.rightSchema.options.filter((right) => !templates.rights[language][right]);
      expect([language, missing]).toEqual([language, []]);
    }
  });

  it('have words for each reason of a delay in each language', () => {
    for (const language of LANGUAGES) {
      const reasons = api.extendSchema.shape.reason.options;
      const missing = reasons.filter((reason) => !templates.delays[language][reason]);
      expect([language, missing]).toEqual([language, []]);
    }
  });

  it('are filled in without anything left open, as text and as HTML', () => {
    for (const language of LANGUAGES) {
      for (const kind of TEMPLATE_KINDS) {
        const template = templates.mails[language][kind];
        const mail = fillTemplate({ template, layout: templates.layout, language, values: VALUES });
        const all = [mail.subject, mail.text, mail.html].join('\n');
        expect([language, kind, all.match(/\{\{|\}\}|undefined/)]).toEqual([language, kind, null]);
        expect(mail.subject).not.toBe('');
        expect(mail.html).toContain(`<html lang="${language}">`);
        for (const name of MAIL_PLACEHOLDERS[kind]) {
          expect([language, kind, mail.text.includes(VALUES[name])]).toEqual([language, kind, true]);
          expect([language, kind, mail.html.includes(VALUES[name])]).toEqual([language, kind, true]);
        }
      }
    }
  });

  it('do not show the code before the mail is opened', () => {
    for (const language of LANGUAGES) {
      const template = templates.mails[language].code;
      const mail = fillTemplate({ template, layout: templates.layout, language, values: VALUES });
      expect(mail.subject).not.toContain(VALUES.code);
    }
  });
});

describe('fillTemplate', () => {
  const fill = (text: string, values: Readonly<Record<string, string | undefined>>) =>
    fillTemplate({ template: { text }, layout: '{{content}}', language: 'en', values });

  it('leaves out a paragraph that names something that there is none of', () => {
    const mail = fill('Subject: S\n\nOne.\n\nAt:\n{{link}}\n\nTwo.\n', { link: undefined });
    expect(mail.text).toBe('One.\n\nTwo.\n');
    expect(mail.html).not.toContain('At:');
  });

  it('keeps what somebody wrote to words: no header, no markup, no placeholder, no line of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (reason) => {
        const mail = fill('Subject: S {{reason}}\n\n{{reason}}\n', { reason, code: 'SECRET' });
        expect(mail.subject).not.toMatch(/[\r\n]/);
        expect(mail.text.trim().split('\n').length).toBe(1);
        expect(mail.html.replaceAll(/<\/?p>/g, '')).not.toMatch(/[<>]/);
      }),
    );
    const mail = fill('Subject: S\n\n{{reason}}\n', { reason: '<b>{{code}}</b>\r\nBcc: x', code: 'SECRET' });
    expect(mail.text).toBe('<b>{{code}}</b> Bcc: x\n');
    expect(mail.html).toContain('&lt;b&gt;{{code}}&lt;/b&gt;');
  });
});

describe("an organization's own templates", () => {
  it('go before those of Habeas, file by file', () => {
    const own = withFolder({
      'de/code.txt': 'Subject: Ihr Code\n\n{{code}}\n',
      'en/completed.html': '<p>{{organization}}: {{until}}</p>',
      'fr/rights.json': '{ "access": "tout" }',
      'layout.html': '<main>{{content}}</main>',
    });
    expect(own.mails.de.code.text).toContain('Ihr Code');
    expect(own.mails.de.started).toEqual(templates.mails.de.started);
    const template = own.mails.en.completed;
    const mail = fillTemplate({ template, layout: own.layout, language: 'en', values: VALUES });
    expect(mail.html).toBe('<p>ACME: 8 March 2027</p>');
    expect(own.rights.fr.access).toBe('tout');
    expect(own.layout).toBe('<main>{{content}}</main>');
  });

  it('are refused when they could not be filled in', () => {
    const broken: readonly [Record<string, string>, string][] = [
      [{ 'de/code.txt': 'Hallo {{code}}\n' }, 'Subject'],
      [{ 'de/code.txt': 'Subject: S\n\nKein Code\n' }, '{{code}}'],
      [{ 'en/started.txt': 'Subject: S\n\n{{name}}\n' }, '{{name}}'],
      [{ 'en/started.html': '<p>{{code}}</p>' }, '{{code}}'],
      [{ 'pl/rights.json': '[' }, 'not JSON'],
      [{ 'layout.html': '<p></p>' }, '{{content}}'],
    ];
    for (const [files, words] of broken) {
      expect(() => withFolder(files)).toThrow(words);
      expect(() => withFolder(files)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
    expect(() => loadTemplates(join(folder, 'none'))).toThrow('no such folder');
  });
});

describe('the language of a mail', () => {
  it('is the best of those that somebody reads', () => {
    const cases: readonly [string | undefined, string | undefined][] = [
      ['de-AT,de;q=0.9,en;q=0.8', 'de'],
      ['ja, fr-CH;q=0.5, it;q=0.7', 'it'],
      ['pl;q=0, nl', 'nl'],
      ['EN-gb', 'en'],
      ['ja,zh;q=0.5', undefined],
      ['*', undefined],
      ['', undefined],
      [undefined, undefined],
      ['de;q=abc, es', 'es'],
    ];
    for (const [header, language] of cases)
      expect([header, preferredLanguage(header)]).toEqual([header, language]);
    expect(languageOf('es-419')).toBe('es');
  });

  it('is found in any header without a failure', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect([...LANGUAGES, undefined]).toContain(preferredLanguage(header));
      }),
    );
    expect(COMMON_PLACEHOLDERS).toContain('request');
  });
});
