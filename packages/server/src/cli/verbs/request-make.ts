import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { readChanges } from '../changes-input.ts';
import { type CliContext, clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { follow } from '../follow.ts';
import { regimeOption, subjectKindOption } from '../law-options.ts';
import { identitiesOf, list } from '../option-values.ts';
import { requestLines } from '../render/request.ts';
import { savePackage } from '../save-package.ts';
import type { Run } from '../verb.ts';

interface MakeOptions extends ServerOptions {
  readonly email?: string;
  readonly identity?: readonly string[];
  readonly dryRun?: true;
  readonly regime?: api.Regime;
  readonly subjectKind?: api.SubjectKind;
  readonly watch?: true;
  readonly output?: string;
  readonly idempotencyKey?: string;
  readonly set?: readonly string[];
  readonly remove?: readonly string[];
  readonly changes?: string;
  readonly purpose?: readonly string[];
  readonly lift?: true;
}

/** A right with its verb, and what its options mean for it. */
const VERBS: readonly { readonly verb: string; readonly right: api.Right; readonly does: string }[] = [
  { verb: 'access', right: 'access', does: 'collect everything about one person into a package' },
  {
    verb: 'portability',
    right: 'portability',
    does: 'collect what one person provided into a package that another controller can take over',
  },
  { verb: 'erase', right: 'erasure', does: 'erase one person everywhere, and read every system again' },
  {
    verb: 'rectification',
    right: 'rectification',
    does: 'put right what is wrong about one person, wherever it is a copy',
  },
  { verb: 'restriction', right: 'restriction', does: 'keep the data of one person, and use it no more' },
  { verb: 'objection', right: 'objection', does: 'use the data of one person no more for some purposes' },
  {
    verb: 'opt-out-of-sale',
    right: 'opt_out_of_sale',
    does: 'neither sell nor share the data of one person (California)',
  },
  {
    verb: 'limit-sensitive-data',
    right: 'limit_sensitive_data',
    does: 'limit the use of sensitive data of one person (California)',
  },
];

/** `habeas request access`, `habeas request erase` and the other rights. */
export function requestMakeVerbs(request: Command, run: Run): void {
  for (const { verb, right, does } of VERBS) {
    const command = withServerOptions(
      request
        .command(verb)
        .description(does)
        .option('--email <address>', 'e-mail of the person; - reads it from standard input')
        .option('--identity <type=value>', 'another identity of the person; repeatable', list)
        .addOption(regimeOption())
        .addOption(subjectKindOption())
        .option('--watch', 'follow it until it ends or waits for a person')
        .option(
          '--idempotency-key <key>',
          'the same key and input gives the same request again (default: a new key)',
        ),
    );
    addOptions(command, right);
    command.action((options: MakeOptions) => run((context) => make(context, right, options)));
  }
}

function addOptions(command: Command, right: api.Right): void {
  if (right === 'access' || right === 'portability') {
    command.option('--output <file>', 'save the package there once it is built; includes --watch');
    return;
  }
  const does = right === 'erasure' ? 'erased' : 'changed';
  command.option('--dry-run', `count what would be ${does}; change nothing`);
  if (right === 'rectification') {
    command
      .option('--set <target=value>', 'the new value of a category or a field; repeatable', list)
      .option('--remove <target>', 'a category or a field that is to have no value; repeatable', list)
      .option('--changes <file>', 'changes as JSON, as the API takes them; - reads them from standard input');
  }
  if (right === 'objection') command.option('--purpose <purpose>', 'against what; repeatable', list);
  if (right !== 'erasure' && right !== 'rectification')
    command.option('--lift', 'end it instead of beginning it');
}

async function make(context: CliContext, right: api.Right, options: MakeOptions) {
  const client = clientFor(context, options);
  const output = options.output === undefined ? undefined : resolve(context.folder, options.output);
  if (output !== undefined && existsSync(output)) {
    throw new HabeasError('CONFLICT', `${output} exists. Remove it, or choose another file.`);
  }
  const request = await client.createRequest(
    {
      right,
      identities: [...(await readIdentities(context, options))],
      dry_run: options.dryRun === true,
      ...(options.regime === undefined ? {} : { regime: options.regime }),
      ...(options.subjectKind === undefined ? {} : { subject_kind: options.subjectKind }),
      ...(right === 'rectification' ? { changes: [...(await readChanges(context, options))] } : {}),
      ...(options.purpose === undefined ? {} : { purposes: [...options.purpose] }),
      ...(options.lift === true ? { lift: true } : {}),
    },
    options.idempotencyKey ?? randomUUID(),
  );
  if (options.watch !== true && output === undefined) {
    print(context, options, {
      json: request,
      lines: () => [
        `Request ${request.id} is ${request.state}.`,
        context.paint.quiet(`Follow it: habeas request watch ${request.id}`),
      ],
    });
    return 'done';
  }
  if (options.json !== true) context.terminal.out(`Request ${request.id}\n`);
  const { snapshot, end } = await follow(context, client, {
    requestId: request.id,
    quiet: options.json === true,
  });
  const saved =
    output !== undefined && end.exit === 'done'
      ? await savePackage(client, snapshot.request, output)
      : undefined;
  print(context, options, {
    json: { ...snapshot.request, task_list: snapshot.tasks, ...(saved === undefined ? {} : { saved }) },
    lines: () => [
      '',
      ...requestLines(snapshot.request, [], { width: context.terminal.width, paint: context.paint }),
      ...(end.exit === 'done' ? [] : ['', end.text]),
      ...(saved === undefined ? [] : ['', `Saved ${saved.file} (${saved.bytes} bytes).`]),
    ],
  });
  return end.exit;
}

async function readIdentities(context: CliContext, options: MakeOptions): Promise<readonly api.Identity[]> {
  const { email } = options;
  const value = email === '-' ? (await context.readInput()).replace(/\r?\n$/, '') : email;
  const identities = [
    ...(value === undefined ? [] : [{ type: 'email', value }]),
    ...identitiesOf(options.identity ?? []),
  ];
  if (identities.length > 0) return identities;
  throw new HabeasError(
    'BAD_INPUT',
    'Say whom it is about: --email ada@example.org, or --identity user_id=17.',
  );
}
