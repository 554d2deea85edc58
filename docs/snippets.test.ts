import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../packages/server/src/foundation/index.ts';
import { recordSchema } from '../packages/server/src/map/index.ts';
import { policySchema } from '../packages/server/src/policy/index.ts';
import {
  habeasArguments,
  inlineCommands,
  isOnlyIncomplete,
  refusalOf,
  unknownScript,
} from './snippets/habeas-commands.ts';
import { keysOfSchema, keysOfTables } from './snippets/key-tables.ts';
import { brokenLinks } from './snippets/links.ts';
import { mermaidProblems } from './snippets/mermaid.ts';
import {
  codeLines,
  markOf,
  parsePage,
  placeOf,
  ROOT,
  readPage,
  readPages,
  type Snippet,
} from './snippets/pages.ts';
import { readCommands } from './snippets/shell.ts';
import { TOLD } from './snippets/told.ts';
import { typeErrors } from './snippets/type-check.ts';
import { checkYaml } from './snippets/yaml.ts';

const pages = readPages();
const snippets = pages.flatMap((page) => page.snippets);
const inLanguage = (...languages: readonly string[]) =>
  snippets.filter(({ language }) => languages.includes(language));
const planted = (text: string) => parsePage('docs/planted.md', text);
const plantedSnippet = (text: string): Snippet => {
  const [snippet] = planted(text).snippets;
  if (snippet === undefined) throw new Error('There is no snippet.');
  return snippet;
};

/** Pages that are still being written; a link to one is right already. */
const TO_COME: readonly string[] = [];

/** Languages of fenced blocks, and what is done with them. Plain text is shown and not run. */
const KNOWN_LANGUAGES = ['sh', 'ts', 'js', 'html', 'yaml', 'json', 'mermaid', 'sql', 'text', 'proto', ''];

describe('the pages', () => {
  it('have snippets in languages that are checked, and marks that are known', () => {
    const odd = snippets.filter(({ language }) => !KNOWN_LANGUAGES.includes(language));
    expect(odd.map((snippet) => `${placeOf(snippet)}: ${snippet.language}`)).toEqual([]);
    expect(pages.flatMap((page) => page.unknownMarks)).toEqual([]);
    expect(snippets.length).toBeGreaterThan(30);
  });

  it('link to files and headings that exist', () => {
    const others = ['examples/acme/README.md', 'packages/sdk/README.md'].map(readPage);
    const broken = [...pages, ...others].flatMap(brokenLinks);
    expect(broken.filter((link) => !TO_COME.some((page) => link.endsWith(`: ${page} is not there`)))).toEqual(
      [],
    );
    const page = planted(
      '# A heading, told: twice\n\n[a](gone.md) [b](#a-heading-told-twice) [c](#gone) [d](cli.md#nothing)',
    );
    expect(brokenLinks(page).map((link) => link.split(': ')[1])).toEqual([
      'gone.md',
      '#gone',
      'cli.md#nothing',
    ]);
  });

  it('say of each snippet that is not run why', () => {
    const notRun = snippets.flatMap((snippet) => {
      const why = markOf(snippet, 'not run');
      return why === undefined ? [] : [`${placeOf(snippet)} (${snippet.language}): ${why}`];
    });
    const count = `${notRun.length} of ${snippets.length} snippets are not run:`;
    process.stdout.write(`${[count, ...notRun].join('\n  ')}\n`);
    expect(notRun.length).toBeLessThan(snippets.length / 4);
  });
});

describe('snippets of a shell', () => {
  it('name verbs, options and scripts that exist', async () => {
    const wrong: string[] = [];
    for (const snippet of inLanguage('sh')) {
      for (const command of readCommands(snippet.text, snippet.line + 1)) {
        const place = `${snippet.page.path}:${command.line}`;
        const argv = habeasArguments(command);
        const refusal = argv === undefined ? undefined : await refusalOf(argv);
        if (refusal !== undefined) wrong.push(`${place}: ${refusal}`);
        const script = unknownScript(command);
        if (script !== undefined) wrong.push(`${place}: there is no script "${script}"`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('and of prose name verbs and options that exist', async () => {
    const wrong: string[] = [];
    let count = 0;
    for (const page of pages) {
      for (const { line, argv } of inlineCommands(page)) {
        count += 1;
        const refusal = await refusalOf(argv);
        if (refusal !== undefined && !isOnlyIncomplete(refusal))
          wrong.push(`${page.path}:${line}: ${refusal}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(20);
    const [planned] = inlineCommands(planted('See `habeas clients lisst` and `ls`.'));
    expect(await refusalOf(planned?.argv ?? [])).toMatch(/too many arguments|unknown command/);
  });

  it('are run by a story, have commands of Habeas only, or say why they are not run', () => {
    const unaccounted = inLanguage('sh').filter((snippet) => {
      if (markOf(snippet, 'run') ?? markOf(snippet, 'not run')) return false;
      return readCommands(snippet.text).some((command) => habeasArguments(command) === undefined);
    });
    expect(unaccounted.map(placeOf)).toEqual([]);
    const pagesWithStories = new Set(
      snippets.filter((snippet) => markOf(snippet, 'run') !== undefined).map(({ page }) => page.path),
    );
    expect([...pagesWithStories].sort()).toEqual([...TOLD].sort());
  });

  it('are found wrong when they are', async () => {
    const [first, second] = readCommands(
      'npx habeas request erase --emial "$X" \\\n  --watch\nK=$(habeas people) node x.mjs # habeas nothing',
    );
    expect(await refusalOf(habeasArguments(first ?? { line: 1, words: [] }) ?? [])).toContain('--emial');
    expect(second).toEqual({ line: 3, words: ['habeas', 'people'] });
    expect(await refusalOf(['people'])).toContain('unknown command');
    expect(await refusalOf(['request', 'hold', 'req_1'])).toContain('--reason');
    expect(unknownScript({ line: 1, words: ['npm', 'run', 'build'] })).toBe('build');
  });
});

describe('snippets of TypeScript and JavaScript', () => {
  const code = inLanguage('ts', 'js', 'html');
  const loose = (language: string) =>
    inLanguage(language)
      .filter((snippet) => !(markOf(snippet, 'part of') ?? markOf(snippet, 'is')))
      .map(placeOf);
  const stands = ({ text }: Snippet, file: string) => {
    const whole = codeLines(readFileSync(join(ROOT, file), 'utf8'));
    return `\n${whole.join('\n')}\n`.includes(`\n${codeLines(text).join('\n')}\n`) ? whole : undefined;
  };

  it('stand in the files that they are said to be', () => {
    const wrong = code.flatMap((snippet) => {
      const is = markOf(snippet, 'is');
      const part = markOf(snippet, 'part of');
      const whole = is === undefined ? undefined : stands(snippet, is);
      const isWrong = is !== undefined && whole?.length !== codeLines(snippet.text).length;
      const partIsWrong = part !== undefined && stands(snippet, part) === undefined;
      return isWrong || partIsWrong ? [`${placeOf(snippet)}: differs from ${is ?? part}`] : [];
    });
    expect(wrong).toEqual([]);
  });

  it('are type-checked as a reader would write them', () => {
    const standalone = inLanguage('ts').filter((snippet) => markOf(snippet, 'is') === undefined);
    expect(standalone.length).toBeGreaterThan(1);
    expect(typeErrors(standalone)).toEqual([]);
    const wrong = plantedSnippet(
      "```ts\nimport { declare } from '@habeas/sdk';\n\ndeclare({ teem: 'x' });\n```",
    );
    expect(typeErrors([wrong])).toEqual([expect.stringMatching(/^docs\/planted\.md:1 \(line 3 .*teem/)]);
  });

  it('of HTML stand in files as well', () => {
    expect(loose('html')).toEqual([]);
  });

  it('of plain JavaScript are part of a file that a test runs, because nothing else would check them', () => {
    expect(loose('js')).toEqual([]);
  });
});

describe('snippets of YAML and JSON', () => {
  it('are taken by the parsers of Habeas', () => {
    const wrong = inLanguage('yaml').flatMap((snippet) => whatIsWrong(() => checkYaml(snippet)));
    expect(wrong).toEqual([]);
    const unknownKey = plantedSnippet('```yaml\nmap:\n  scrap: []\n```');
    expect(whatIsWrong(() => checkYaml(unknownKey))).toEqual([
      expect.stringContaining('docs/planted.md:1:2:3'),
    ]);
    const badRule = plantedSnippet('```yaml\nkeep:\n  - category: user.financial\n```');
    expect(whatIsWrong(() => checkYaml(badRule))).toEqual([expect.stringContaining('keep.0.reason')]);
    expect(whatIsWrong(() => checkYaml(plantedSnippet('```yaml\nscrape_configs: []\n```')))).toHaveLength(1);
  });

  it('are JSON', () => {
    const wrong = inLanguage('json').flatMap((snippet) =>
      whatIsWrong(() => JSON.parse(snippet.text)).map((why) => `${placeOf(snippet)}: ${why}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('diagrams', () => {
  it('are well formed', () => {
    const wrong = inLanguage('mermaid').flatMap((snippet) =>
      mermaidProblems(snippet.text).map((problem) => `${placeOf(snippet)}: ${problem}`),
    );
    expect(wrong).toEqual([]);
    expect(inLanguage('mermaid').length).toBeGreaterThan(1);
  });

  it.each([
    ['an unknown kind', 'flowchart\n  a --> b'],
    ['an open bracket', 'flowchart LR\n  a[one --> b'],
    ['an open quote', 'flowchart LR\n  a -- "one --> b'],
    ['brackets that differ', 'flowchart LR\n  a[one) --> b'],
    ['an arrow that is none', 'flowchart LR\n  a -> b'],
    ['an arrow to nothing', 'flowchart LR\n  a -->'],
    ['an arrow of another diagram', 'stateDiagram-v2\n  a -> b'],
    ['nothing', 'flowchart LR'],
  ])('are found wrong with %s', (_, text) => {
    expect(mermaidProblems(text)).toHaveLength(1);
  });
});

describe('references of keys', () => {
  it.each([
    ['docs/operate.md', configSchema],
    ['docs/policy.md', policySchema],
    ['docs/record-of-processing.md', recordSchema],
  ])('of %s have exactly the keys that the parser takes, with their defaults', (path, schema) => {
    const real = keysOfSchema(schema);
    const told = keysOfTables(readPage(path).text);
    expect(told.map((key) => key.path)).toEqual(real.map((key) => key.path));
    const withDefault = real.filter(({ value }) => value !== undefined && value !== 'required');
    const shown = (key: string) => told.find((one) => one.path === key)?.shown;
    expect(Object.fromEntries(withDefault.map((key) => [key.path, shown(key.path)]))).toEqual(
      Object.fromEntries(withDefault.map((key) => [key.path, `\`${key.value}\``])),
    );
    for (const key of real)
      expect([key.path, shown(key.path) === 'required']).toEqual([key.path, key.value === 'required']);
  });

  it.each([
    ['docs/operate.md', configSchema],
    ['docs/policy.md', policySchema],
    ['docs/record-of-processing.md', recordSchema],
  ])('of %s come with an example that has every one of them', (path, schema) => {
    const examples = readPage(path).snippets.filter(({ language }) => language === 'yaml');
    const missing = keysOfSchema(schema).filter(({ path: key }) => {
      const name = key.replace(/\[\]$/, '').split('.').at(-1);
      return !examples.some(({ text }) => new RegExp(`^[ -]*${name}:`, 'm').test(text));
    });
    expect(missing).toEqual([]);
  });
});

describe('README.md', () => {
  it('connects a database and a service in at most ten lines each', () => {
    const readme = readPage('README.md');
    const lines = (kind: 'run' | 'is', text: string) =>
      readme.snippets.find((snippet) => markOf(snippet, kind) === text)?.text.split('\n').length;
    expect(lines('run', 'first database')).toBeLessThanOrEqual(10);
    expect(lines('is', 'packages/sdk/examples/accounts.ts')).toBeLessThanOrEqual(10);
  });
});

function whatIsWrong(check: () => unknown): readonly string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
