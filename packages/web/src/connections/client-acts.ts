import { approveClient, rejectClient } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';

/** What can be decided about an address that a team published. */
export function clientActs(id: string): Readonly<Record<'approve' | 'reject', Act>> {
  return {
    approve: {
      label: 'Approve',
      explanation:
        'Habeas sends personal data to this address from now on. Ask the team whether it is theirs.',
      reason: 'words',
      run: (reason) => approveClient({ id, body: { reason } }),
    },
    reject: {
      label: 'Reject',
      explanation: 'Nothing is sent to this address any more.',
      grave: true,
      reason: 'words',
      run: (reason) => rejectClient({ id, body: { reason } }),
    },
  };
}
