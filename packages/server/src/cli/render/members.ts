import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';
import { shortTime } from './time.ts';

/** People who sign in by themselves. */
export function memberLines(
  members: readonly api.MemberView[],
  { width, paint }: { readonly width: number; readonly paint: Paint },
): readonly string[] {
  if (members.length === 0)
    return ['Nobody yet. `habeas members invite <email> --role <role>` lets somebody sign in.'];
  return table<api.MemberView>({
    columns: [
      { title: 'MEMBER', value: ({ id }) => id },
      { title: 'WHO', value: ({ name, email }) => printable(email ?? name ?? '—'), flexible: true },
      { title: 'ROLE', value: ({ role }) => role },
      { title: 'TEAMS', value: ({ teams }) => printable(teams?.join(', ') ?? 'all'), flexible: true },
      {
        title: 'BY',
        value: ({ by_group: group }) => (group === null ? 'invitation' : `group ${printable(group)}`),
        flexible: true,
      },
      {
        title: 'SIGNED IN',
        value: ({ signed_in_at: at }) => (at === null ? 'never' : shortTime(at)),
        paint: (text) => (text.startsWith('never') ? paint.quiet(text) : text),
      },
    ],
    rows: members,
    width,
    paint,
  });
}
