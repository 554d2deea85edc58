import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { createApiClient } from '../api-client.ts';
import { type CliContext, clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { count as parseCount } from '../option-values.ts';
import { bytes } from '../render/time.ts';
import { type SavedPackage, saveBytes, savePackage } from '../save-package.ts';
import type { Run } from '../verb.ts';

interface FetchOptions extends ServerOptions {
  readonly output?: string;
  readonly form: api.PackageForm;
  readonly link?: string;
  readonly code?: string;
}

/** `habeas package`: fetch what an access request found, and hand it over. */
export function packageVerb(program: Command, run: Run): void {
  const parcel = program
    .command('package')
    .description('fetch the package of a finished request, and hand it over by a link or with its key');
  withServerOptions(
    parcel
      .command('fetch')
      .description('save a package: of a request by its id, or by the link and the code that its person got')
      .argument('[id]', 'of the request')
      .option('--output <file>', 'where to save it')
      .addOption(
        new Option('--form <form>', 'zip, or age: sealed as it is stored')
          .choices(api.packageFormSchema.options)
          .default('zip'),
      )
      .option('--link <url>', 'the link from the mail; - reads it from standard input')
      .option('--code <digits>', 'of the mail that a first call with --link alone sends'),
  ).action((id: string | undefined, options: FetchOptions) =>
    run((context) => {
      if ((id === undefined) === (options.link === undefined))
        throw new HabeasError(
          'BAD_INPUT',
          'Name one: the id of a request, or --link with the link from a mail.',
        );
      return id === undefined ? fetchByLink(context, options) : fetchById(context, options, id);
    }),
  );

  withServerOptions(
    parcel
      .command('link')
      .description('make a new link by which the person fetches their package; it is shown once')
      .argument('<id>', 'of the request')
      .option('--downloads <n>', 'how often it can be downloaded, at most 20', parseCount, 3)
      .option('--days <n>', 'how long it is valid, at most 7', parseCount, 7),
  ).action((id: string, options: ServerOptions & { readonly downloads: number; readonly days: number }) =>
    run(async (context) => {
      const { downloads, days } = options;
      const link = await clientFor(context, options).makePackageLink(id, { downloads, days });
      print(context, options, {
        json: link,
        lines: () => [
          link.url,
          `For ${link.downloads} downloads, until ${link.expires_at}. It is not shown again.`,
        ],
      });
      return 'done';
    }),
  );

  withServerOptions(
    parcel
      .command('revoke-links')
      .description('void every link to a package, with the downloads that were begun')
      .argument('<id>', 'of the request'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const { revoked } = await clientFor(context, options).revokePackageLinks(id);
      print(context, options, { json: { revoked }, lines: () => [`Voided ${revoked} links.`] });
      return 'done';
    }),
  );

  withServerOptions(
    parcel
      .command('key')
      .description(
        'give out the key that opens the sealed package and nothing else; the audit log notes who asked',
      )
      .argument('<id>', 'of the request')
      .option('--output <file>', 'save it there for `age --decrypt --identity` instead of showing it'),
  ).action((id: string, options: ServerOptions & { readonly output?: string }) =>
    run(async (context) => {
      // Before the key is given out, which the audit log notes.
      const file = options.output === undefined ? undefined : newFile(context, options.output);
      const key = await clientFor(context, options).getPackageKey(id);
      const { identity, ...rest } = key;
      if (file === undefined) {
        print(context, options, { json: key, lines: () => [identity] });
        return 'done';
      }
      await writeFile(file, `${identity}\n`, { mode: 0o600, flag: 'wx' });
      print(context, options, { json: { ...rest, file }, lines: () => [`Saved the key in ${file}.`] });
      return 'done';
    }),
  );
}

async function fetchById(context: CliContext, options: FetchOptions, id: string): Promise<ExitName> {
  if (options.code !== undefined) throw new HabeasError('BAD_INPUT', '--code belongs to --link.');
  const file = newFile(context, options.output);
  const client = clientFor(context, options);
  if (options.form === 'zip')
    return told(context, options, await savePackage(client, await client.getRequest(id), file));
  const { body } = await client.openPackage(id, options.form);
  return told(context, options, await saveBytes({ body, sha256: undefined, file }));
}

/** In two calls: the first has a code sent, the second opens the link with it. */
async function fetchByLink(context: CliContext, options: FetchOptions): Promise<ExitName> {
  const given = options.link === '-' ? (await context.readInput()).trim() : (options.link ?? '');
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const token = url?.hash.slice(1) ?? '';
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^[A-Za-z0-9_-]{43}$/.test(token))
    throw new HabeasError(
      'BAD_INPUT',
      '--link has to be the whole link from the mail, with all that stands behind #.',
    );
  if (options.form !== 'zip') throw new HabeasError('BAD_INPUT', 'By a link a package comes as zip only.');
  // The link says whose server it is; no API key goes there.
  const client = createApiClient({ url: options.url ?? url.origin, key: undefined, signal: context.signal });
  if (options.code === undefined) {
    const { minutes } = await client.sendPackageCode(token);
    print(context, options, {
      json: { code_sent: true, minutes },
      lines: () => [
        `A code was sent by mail. It is valid for ${minutes} minutes: run this again with --code.`,
      ],
    });
    return 'blocked';
  }
  const file = newFile(context, options.output);
  const opened = await client.openPackageLink(token, options.code.replaceAll(/\s/g, ''));
  const { body } = await client.downloadByLink(opened.link_id, opened.secret);
  return told(context, options, await saveBytes({ body, sha256: opened.sha256, file }));
}

function told(context: CliContext, options: FetchOptions, result: SavedPackage): ExitName {
  print(context, options, { json: result, lines: () => [`Saved ${result.file} (${bytes(result.bytes)}).`] });
  return 'done';
}

function newFile(context: CliContext, output: string | undefined): string {
  if (output === undefined) throw new HabeasError('BAD_INPUT', 'Say with --output where to save it.');
  const file = resolve(context.folder, output);
  if (existsSync(file))
    throw new HabeasError('CONFLICT', `${file} exists. Remove it, or choose another file.`);
  return file;
}
