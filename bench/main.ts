/** `npm run bench [name …] [-- --json]`: measures, prints, and ends with 1 if a goal is missed. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { BENCHMARKS } from './benchmarks.ts';
import { RIGHTS, readPart } from './failpoints/part.ts';
import type { Figure } from './figure.ts';
import { openBench } from './open-bench.ts';
import { toJson, toTable } from './report.ts';

const HELP = `npm run bench [name …] [-- options]

Measures the figures of docs/benchmarks.md, each beside a baseline of the same run. Exit code: 0 all goals reached,
1 a goal missed or a benchmark failed, 2 wrong command line.

${BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(16)}${about}`).join('\n')}

  --json      print one JSON object a figure, one a line: name, value, unit, baseline, ratio, goal, pass
  --seed N    repeat what was drawn by chance in an earlier run
  --only R,…  failpoints of these rights alone: ${RIGHTS.slice(0, 4).join(', ')},
              ${RIGHTS.slice(4).join(', ')}
  --slice K/N the K-th of N parts of these failpoints: N runs, 1/N to N/N, try all of them
  --megabytes N
              size of the file of parquet (1000 without it)
  --help      print this
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = read();
  if (typeof asked === 'string') {
    process.stderr.write(`${asked}\n\n${HELP}`);
    return 2;
  }
  if (asked.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const figures: Figure[] = [];
  let failed = false;
  await using bench = openBench({
    seed: asked.seed,
    part: asked.part,
    megabytes: asked.megabytes,
    say: (line) => process.stderr.write(`bench: ${line}\n`),
  });
  bench.say(`seed ${asked.seed}`);
  for (const benchmark of asked.benchmarks) {
    bench.say(`${benchmark.name}: ${benchmark.about}`);
    try {
      const measured = await benchmark.run(bench);
      figures.push(...measured);
      if (asked.json) for (const figure of measured) process.stdout.write(`${toJson(figure)}\n`);
    } catch (error) {
      failed = true;
      process.stderr.write(
        `bench: ${benchmark.name} failed: ${error instanceof Error ? error.stack : error}\n`,
      );
    }
  }
  if (!asked.json && figures.length > 0) process.stdout.write(toTable(figures));
  return failed || figures.some(({ pass }) => !pass) ? 1 : 0;
}

function read() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        seed: { type: 'string' },
        only: { type: 'string' },
        slice: { type: 'string' },
        megabytes: { type: 'string', default: '1000' },
      },
    });
    const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31) return '--seed is a whole number from 0 on.';
    const megabytes = Number(values.megabytes);
    if (!Number.isInteger(megabytes) || megabytes < 1) return '--megabytes is a whole number from 1 on.';
    const unknown = positionals.find((given) => !BENCHMARKS.some(({ name }) => name === given));
    if (unknown !== undefined) return `There is no benchmark "${unknown}".`;
    const wanted = new Set(positionals);
    const part = readPart(values);
    if (typeof part === 'string') return part;
    if ((values.only ?? values.slice) !== undefined && !wanted.has('failpoints'))
      return '--only and --slice are for failpoints: npm run bench failpoints -- --only access';
    const benchmarks = BENCHMARKS.filter(({ name }) => wanted.size === 0 || wanted.has(name));
    return { ...values, seed, part, megabytes, benchmarks };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
