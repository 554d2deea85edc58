import { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { list } from '../option-values.ts';
import { memberLines } from '../render/members.ts';
import type { Run } from '../verb.ts';

interface MemberOptions {
  readonly role: api.Role;
  readonly team?: readonly string[];
}

interface ChangeOptions extends Partial<MemberOptions> {
  readonly allTeams?: true;
}

const role = () =>
  new Option('--role <role>', 'may do what people in this role may').choices(Object.keys(api.ROLES));
const team = () =>
  new Option(
    '--team <team>',
    'sees and does the tickets of this team alone; may be given more than once',
  ).argParser(list);

/** `habeas members`: people who sign in by themselves. */
export function membersVerb(program: Command, run: Run): void {
  const members = program
    .command('members')
    .description('list, invite, change and remove people who sign in by themselves');
  withServerOptions(
    members.command('list', { isDefault: true }).description('list people, oldest first'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listMembers();
      const { paint } = context;
      print(context, options, {
        json: { items },
        lines: () => memberLines(items, { width: context.terminal.width, paint }),
      });
      return 'done';
    }),
  );
  withServerOptions(
    members
      .command('invite')
      .description('let somebody sign in; no mail is sent')
      .argument('<email>', 'with which they sign in')
      .addOption(role().makeOptionMandatory())
      .addOption(team()),
  ).action((email: string, options: ServerOptions & MemberOptions) =>
    run(async (context) => {
      const { role, team } = options;
      const made = await clientFor(context, options).inviteMember({
        email,
        role,
        teams: team?.slice() ?? null,
      });
      print(context, options, { json: made, lines: () => [`Member ${made.id} may sign in now.`] });
      return 'done';
    }),
  );
  withServerOptions(
    members
      .command('change')
      .description('change what a member may do, from their next call on')
      .argument('<id>')
      .addOption(role())
      .addOption(team())
      .addOption(new Option('--all-teams', 'sees and does the tickets of all teams').conflicts('team')),
  ).action((id: string, options: ServerOptions & ChangeOptions) =>
    run(async (context) => {
      const { role, team, allTeams } = options;
      const teams = allTeams === true ? null : team?.slice();
      const changed = await clientFor(context, options).changeMember(id, {
        ...(role !== undefined && { role }),
        ...(teams !== undefined && { teams }),
      });
      const { paint } = context;
      print(context, options, {
        json: changed,
        lines: () => memberLines([changed], { width: context.terminal.width, paint }),
      });
      return 'done';
    }),
  );
  withServerOptions(
    members
      .command('remove')
      .description('end the sessions of a member, and forget their address and name')
      .argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      await clientFor(context, options).removeMember(id);
      print(context, options, { json: { id }, lines: () => [`Member ${id} is removed.`] });
      return 'done';
    }),
  );
}
